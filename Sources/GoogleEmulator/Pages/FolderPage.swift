/// A folder of Drive as a person sees it.
enum FolderPage {
    /// The page.
    static func html(_ folder: DriveFile, _ world: World) -> String {
        let children = world.drive.children(of: folder.id).filter { !$0.isTrashed }
        let isTrashed = world.drive.isTrashed(folder)
        let rows = children.map { row($0, world) }
        let content =
            children.isEmpty
            ? "<p class=\"empty\">This folder is empty.</p>"
            : "<table><tr><th>Name</th><th>Owner</th><th>Last modified</th><th>Size</th></tr>\n"
                + rows.joined(separator: "\n") + "\n</table>"
        let path = PageLayout.path(to: folder, world.drive)
        return PageLayout.html(
            title: folder.name, style: style,
            body: """
                \(PageLayout.bar(sign: "folder", title: folder.name, place: path.isEmpty ? "Drive" : path))
                <main>
                \(isTrashed ? "<p class=\"trash\">This folder is in the trash.</p>" : "")
                \(content)
                </main>
                """)
    }

    private static func row(_ file: DriveFile, _ world: World) -> String {
        let link: String
        let size: String
        let icon: String
        if let spreadsheet = world.spreadsheets[file.id] {
            link = "/spreadsheets/d/\(PercentCoding.encode(file.id))/edit"
            let rows = spreadsheet.sheets.reduce(0) { $0 + $1.grid.usedRowCount }
            size = "\(rows) \(rows == 1 ? "row" : "rows")"
            icon = "sheet"
        } else {
            link = file.isFolder ? "/drive/folders/\(PercentCoding.encode(file.id))" : ""
            let count = world.drive.children(of: file.id).count
            size = file.isFolder ? "\(count) \(count == 1 ? "item" : "items")" : ""
            icon = file.isFolder ? "folder" : "file"
        }
        let name = HTML.escape(file.name)
        return "<tr><td><i class=\"\(icon)\"></i>"
            + (link.isEmpty ? name : "<a href=\"\(link)\">\(name)</a>")
            + "</td><td>\(file.driveID == nil ? HTML.escape(file.owner) : "Shared drive")</td>"
            + "<td>\(file.modifiedTime.text)</td><td>\(size)</td></tr>"
    }

    private static let style = """
        main { background: #fff; border-radius: 16px; margin: 4px 16px 40px; padding: 8px 20px 20px; }
        table { border-collapse: collapse; width: 100%; }
        th { text-align: left; font-weight: 500; color: #444746; }
        th, td { padding: 11px 14px 11px 4px; border-bottom: 1px solid #e3e3e3; }
        td { color: #5f6368; }
        td:first-child a { color: #1f1f1f; font-weight: 500; }
        tr:hover td { background: #f3f6fc; }
        i { display: inline-block; width: 16px; height: 16px; margin-right: 12px; vertical-align: -3px; border-radius: 2px; background: #c4c7c5; }
        i.sheet { background: #188038; }
        i.folder { background: #5f6368; height: 13px; }
        .trash { background: #fce8e6; border-radius: 8px; padding: 8px 14px; }
        .empty { color: #5f6368; text-align: center; padding: 60px 0; }
        """
}
