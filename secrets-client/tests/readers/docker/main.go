// Reads what the docker command line would read, with its own code, and prints it as JSON.
//
//	docker-reader env-file FILE     the variables of `docker run --env-file FILE`, as "NAME=value"
//	docker-reader login DIR HOST    what DIR/config.json says for a registry
//	docker-reader sign-in DIR HOST USERNAME PASSWORD
//	                                keeps a login there as `docker login` does
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"
	"github.com/docker/cli/pkg/kvfile"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	var read any
	switch {
	case len(arguments) == 2 && arguments[0] == "env-file":
		variables, err := kvfile.Parse(arguments[1], nil)
		if err != nil {
			return err
		}
		read = variables
	case len(arguments) == 3 && arguments[0] == "login":
		file, err := config.Load(arguments[1])
		if err != nil {
			return err
		}
		login, err := file.GetAuthConfig(arguments[2])
		if err != nil {
			return err
		}
		read = map[string]string{"username": login.Username, "password": login.Password}
	case len(arguments) == 5 && arguments[0] == "sign-in":
		file, err := config.Load(arguments[1])
		if err != nil {
			return err
		}
		host, username, password := arguments[2], arguments[3], arguments[4]
		login := types.AuthConfig{ServerAddress: host, Username: username, Password: password}
		return file.GetCredentialsStore(host).Store(login)
	default:
		return errors.New("usage: docker-reader env-file FILE | login DIR HOST | sign-in DIR HOST USERNAME PASSWORD")
	}
	return json.NewEncoder(os.Stdout).Encode(read)
}
