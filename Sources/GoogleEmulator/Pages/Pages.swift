import Synchronization

/// The pages for people.
enum Pages {
    /// Answers a request; nil where no page is at the path.
    static func respond(_ request: EmulatorRequest, _ world: borrowing Mutex<World>) -> EmulatorResponse? {
        guard request.verb == "GET" else { return nil }
        let segments = request.segments
        let world = world.withLock(\.self)
        if segments.isEmpty { return .html(LandingPage.html(world)) }
        if segments.count >= 3, segments[0] == "spreadsheets", segments[1] == "d" {
            return world.spreadsheets[segments[2]].map { .html(SpreadsheetPage($0, world, request.query).html) }
        }
        if segments.count == 3, segments[0] == "drive", segments[1] == "folders" {
            guard let folder = world.drive[segments[2]], folder.isFolder else { return nil }
            return .html(FolderPage.html(folder, world))
        }
        return nil
    }
}
