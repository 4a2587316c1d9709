/// What all pages for people have in common.
enum PageLayout {
    /// A whole page.
    ///
    /// - Parameters:
    ///   - title: plain text, which is escaped here
    ///   - style: more CSS
    ///   - body: HTML
    static func html(title: String, style: String = "", body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTML.escape(title))</title>
        <style>
        \(common)
        \(style)
        </style>
        </head>
        <body>
        \(body)
        </body>
        </html>

        """
    }

    /// The bar above a page: a sign, a title, where it lies, and the word that this is not Google.
    static func bar(sign: String, title: String, place: String) -> String {
        """
        <header>
        <a class="sign \(sign)" href="/" title="The emulator's first page"></a>
        <div class="name"><h1>\(HTML.escape(title))</h1><nav>\(place)</nav></div>
        <span class="badge">Emulated, not Google</span>
        </header>
        """
    }

    /// The way from the top of the drive to a file, as links.
    static func path(to file: DriveFile, _ drive: DriveStore) -> String {
        var links: [String] = []
        var current = file.parent
        while let id = current, let folder = drive[id], links.count < 100 {
            links.insert(
                "<a href=\"/drive/folders/\(PercentCoding.encode(id))\">\(HTML.escape(folder.name))</a>", at: 0)
            current = folder.parent
        }
        return links.joined(separator: " &rsaquo; ")
    }

    private static let common = """
        * { box-sizing: border-box; }
        body { margin: 0; font: 14px/1.45 Roboto, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f1f1f; background: #f9fbfd; }
        a { color: #0b57d0; text-decoration: none; }
        a:hover { text-decoration: underline; }
        code, pre { font: 13px/1.5 "Roboto Mono", Menlo, Consolas, monospace; }
        header { display: flex; align-items: center; gap: 12px; padding: 10px 16px; }
        header h1 { margin: 0; font-size: 18px; font-weight: 400; }
        header nav { font-size: 12px; color: #5f6368; min-height: 17px; }
        .name { flex: 1; min-width: 0; }
        .name h1 { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .sign { width: 30px; height: 38px; border-radius: 4px; flex: none; background: #188038; position: relative; }
        .sign.sheet::after { content: ""; position: absolute; inset: 14px 7px 9px; border: 2px solid #fff;
          background: linear-gradient(#fff, #fff) center / 100% 2px no-repeat, linear-gradient(#fff, #fff) center / 2px 100% no-repeat; }
        .sign.folder { background: #5f6368; height: 26px; border-radius: 2px 4px 4px; }
        .sign.folder::before { content: ""; position: absolute; left: 0; top: -4px; width: 14px; height: 6px; background: #5f6368; border-radius: 3px 3px 0 0; }
        .badge { font-size: 12px; color: #5f6368; border: 1px solid #c4c7c5; border-radius: 12px; padding: 2px 10px; white-space: nowrap; }
        """
}
