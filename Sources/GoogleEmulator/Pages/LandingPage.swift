/// The emulator's first page.
enum LandingPage {
    static func html(_ world: World) -> String { "" }
}
