//! Tells the linker that Node brings the functions that are called.

fn main() {
    napi_build::setup();
}
