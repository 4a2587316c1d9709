/// A folder of Drive as a person sees it.
enum FolderPage {
    static func html(_ folder: DriveFile, _ world: World) -> String { "" }
}
