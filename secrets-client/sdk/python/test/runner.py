"""Runs the scenario, or resolves forever; see tests/interop/README.md."""

import json
import os
import re
import sys
import time
from pathlib import Path

from google.protobuf.json_format import MessageToDict, ParseDict
from secrets_client import BrokenRule, Client, SecretsError
from secretsapi.v1 import access_service_pb2, audit_service_pb2, directory_service_pb2
from secretsapi.v1 import resolve_service_pb2, secret_service_pb2
from secretsapi.v1.resolve_service_pb2 import ResolveRequest, WatchRequest

FILES = [access_service_pb2, audit_service_pb2, directory_service_pb2, resolve_service_pb2, secret_service_pb2]
SERVICES = {name: (file, service) for file in FILES for name, service in file.DESCRIPTOR.services_by_name.items()}
STUBS = {
    "SecretService": "secrets",
    "ResolveService": "resolver",
    "DirectoryService": "directory",
    "AccessService": "access",
    "AuditService": "audit",
}


class Scenario:
    def __init__(self):
        self.kept = {
            "organization": os.environ["SECRETS_ORGANIZATION"],
            "operator": Path(os.environ["SECRETS_TOKEN_FILE"]).read_text().strip(),
        }

    def run(self, steps):
        for number, step in enumerate(steps, 1):
            why = self.step(step)
            if why:
                print(f"failed {number} {step['name']}: {why}", flush=True)
                return 1
            print(f"ok {number} {step['name']}", flush=True)
        return 0

    def step(self, step):
        expected = self.fill(step.get("expect"))
        end = time.monotonic() + step.get("within_seconds", 0)
        while True:
            came = self.send(step)
            why = misfit_of_outcome(expected, came)
            if not why or time.monotonic() >= end:
                break
            time.sleep(0.5)
        if not why:
            for name, path in step.get("keep", {}).items():
                self.kept[name] = at(came["response"], path)
        return why

    def send(self, step):
        with self.client(step.get("as")) as client:
            try:
                if "resolve" in step:
                    request = ParseDict(self.fill(step["resolve"]), resolve_service_pb2.ResolveRequest())
                    return {"environment": client.resolve(request)}
                if "watch" in step:
                    return self.watch(client, step)
                return {"response": self.call(client, step["call"], self.fill(step["request"]))}
            except SecretsError as error:
                reason = error.reason.value if error.reason else ""
                return {"error": {"code": error.code.name, "reason": reason, "metadata": error.metadata, "message": str(error)}}

    def watch(self, client, step):
        stream = client.watch(ParseDict(self.fill(step["watch"]), resolve_service_pb2.WatchRequest()))
        events = [next(stream)]
        for inner in step["then"]:
            why = self.step(inner)
            if why:
                return {"failed": f"{inner['name']}: {why}"}
        while "events" not in step["expect"] or len(events) < len(step["expect"]["events"]):
            events.append(next(stream))
        stream.close()
        return {"events": [MessageToDict(event, preserving_proto_field_name=True) for event in events]}

    def call(self, client, path, request):
        service, method = path.split("/")
        file, descriptor = SERVICES[service]
        request_type = getattr(file, descriptor.methods_by_name[method].input_type.name)
        response = getattr(getattr(client, STUBS[service]), method)(ParseDict(request, request_type()))
        return MessageToDict(response, preserving_proto_field_name=True)

    def client(self, actor):
        ca = Path(os.environ["SECRETS_CA_FILE"]).read_bytes()
        return Client(os.environ["SECRETS_ENDPOINT"], self.kept[actor] if actor else None, ca=ca)

    def fill(self, value):
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda name: self.kept[name[1]], value)
        if isinstance(value, list):
            return [self.fill(element) for element in value]
        if isinstance(value, dict):
            return {name: self.fill(member) for name, member in value.items()}
        return value


def at(value, path):
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def misfit_of_outcome(expected, came):
    """Says where what came is not what was expected; nothing when it is."""
    if expected is None:
        return f"it failed: {came['error']}" if "error" in came else None
    for name, member in expected.items():
        if name not in came:
            return f"no {name} came, but {came}"
        if name == "environment" and member != came[name]:
            return f"expected the variables {member}, and {came[name]} came"
    return misfit("outcome", expected, came)


def misfit(place, expected, came):
    if isinstance(expected, dict) and isinstance(came, dict):
        pairs = [(name, member, came.get(name)) for name, member in expected.items()]
    elif isinstance(expected, list) and isinstance(came, list) and len(expected) == len(came):
        pairs = [(position, *pair) for position, pair in enumerate(zip(expected, came))]
    elif expected == came or (came is None and not expected):
        return None
    else:
        return f"{place}: expected {expected}, and {came} came"
    return next(filter(None, (misfit(f"{place}.{name}", *pair) for name, *pair in pairs)), None)


def resolve_forever():
    with Client.from_environment() as client:
        while True:
            try:
                client.resolve()
                line = "resolved"
            except SecretsError as error:
                line = f"failed {error.code.name}"
            try:
                print(line, flush=True)
            except BrokenPipeError:
                return
            time.sleep(0.2)


def answers(file):
    """Resolves once for each answer, and again through the stub; prints what came of it."""
    client = Client.from_environment()
    for case in file["malformed"] + file["accepted"]:
        request = ParseDict(case.get("request", {}), ResolveRequest())
        for resolve in (
            lambda: {"environment": client.resolve(request)},
            lambda: {"names": [secret.secret_id for secret in client.resolver.Resolve(request).secrets]},
        ):
            try:
                came = resolve()
            except BrokenRule as error:
                came = {"rule": error.rule, "message": str(error)}
            print(json.dumps(came), flush=True)


def events(file):
    """Watches once for each stream, and again through the stub; prints what came of it."""
    client = Client.from_environment()
    for case in file["malformed"] + file["accepted"]:
        request = ParseDict(case.get("request", {}), WatchRequest())
        for watch in (client.watch, client.resolver.Watch):
            came = {"delivered": []}
            try:
                for event in watch(request):
                    if event.WhichOneof("event") in ("set", "changed"):
                        came["delivered"].append(names_of(event))
            except BrokenRule as error:
                came |= {"rule": error.rule, "message": str(error)}
            except SecretsError as error:
                came["code"] = error.code.name
            print(json.dumps(came), flush=True)


def names_of(event):
    change = event.changed
    return [each.secret_id for each in (*event.set.secrets, *change.added, *change.updated)] + list(change.removed)


def endpoints(file):
    """Makes a client for each address, and again with `insecure`; prints why it is refused."""
    for case in file["endpoints"]:
        for insecure in (False, True):
            try:
                Client(case["endpoint"], insecure=insecure).close()
                came = {}
            except ValueError as error:
                came = {"message": str(error)}
            print(json.dumps(came), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--resolve-forever":
        resolve_forever()
    elif sys.argv[1] == "--answers":
        answers(json.loads(Path(sys.argv[2]).read_text()))
    elif sys.argv[1] == "--events":
        events(json.loads(Path(sys.argv[2]).read_text()))
    elif sys.argv[1] == "--endpoints":
        endpoints(json.loads(Path(sys.argv[2]).read_text()))
    else:
        sys.exit(Scenario().run(json.loads(Path(sys.argv[1]).read_text())["steps"]))
