//! Links the addon as Node expects it. `setup` also asks for `-z nodelete`: our threads outlive
//! the environment that loaded the image, so it must never be unmapped.

fn main() {
    if std::env::var_os("CARGO_FEATURE_NODE").is_some() {
        napi_build::setup();
    }
}
