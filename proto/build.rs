//! Compiles `secretsapi/v1/*.proto` with protox, so that no `protoc` is needed, and generates from the descriptors what
//! would otherwise be a list to keep in step with them: the methods, and the `Debug` of what carries a secret.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use protox::Compiler;

mod generate {
    pub mod debug;
    pub mod method;
    mod rust;
}

const FOLDER: &str = "secretsapi/v1";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=secretsapi");
    let mut compiler = Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files()?)?;
    let pool = compiler.descriptor_pool();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Encoded by the compiler: prost's own types of descriptors don't know `debug_redact`, and would lose it.
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    fs::write(out.join("method.rs"), generate::method::enumeration(&pool)?)?;
    fs::write(out.join("redacted_debug.rs"), generate::debug::redacted(&pool))?;
    fs::write(out.join("debug_by_name.rs"), generate::debug::by_name(&pool))?;

    tonic_prost_build::configure()
        .btree_map(".")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .skip_debug(generate::debug::redacted_paths(&pool))
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// The files in a fixed order, so that what is generated is the same on every machine.
fn proto_files() -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(FOLDER)?.map(|entry| entry.map(|entry| Path::new(FOLDER).join(entry.file_name())));
    let mut files: Vec<_> = entries.collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    Ok(files)
}
