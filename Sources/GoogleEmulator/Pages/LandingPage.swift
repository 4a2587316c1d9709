/// The emulator's first page: what it is, how to use it, and what it holds.
enum LandingPage {
    /// The page.
    static func html(_ world: World) -> String {
        let files = world.drive.files.values.sorted { ($1.modifiedTime, $1.id) < ($0.modifiedTime, $0.id) }
        let base = HTML.escape(world.baseURL)
        return PageLayout.html(
            title: "Google emulator", style: style,
            body: """
                \(PageLayout.bar(sign: "sheet", title: "Google emulator", place: base))
                <main>
                <p class="lead">This server plays the parts of Google that export jobs use: OAuth's token endpoint, Drive v3 and
                Sheets v4. All it holds is in memory and goes when it stops.</p>
                <section>
                <h2>Point a client at it</h2>
                <table>
                <tr><th>Drive</th><td><code>\(base)/drive/v3/files</code></td></tr>
                <tr><th>Sheets</th><td><code>\(base)/v4/spreadsheets/&hellip;</code></td></tr>
                <tr><th>Tokens</th><td><code>\(base)/token</code>, which the credential files name as their <code>token_uri</code></td></tr>
                <tr><th>SheetSync</th><td><code>GOOGLE_API_ENDPOINT=\(base)</code> and
                <code>GOOGLE_SHEETS_CREDENTIALS_PATH=&hellip;/service-account.json</code></td></tr>
                <tr><th>Python</th><td><code>build("sheets", "v4", credentials=&hellip;, client_options={"api_endpoint": "\(base)"})</code>;
                for Drive the endpoint is <code>\(base)/drive/v3/</code></td></tr>
                </table>
                <p>The files <code>service-account.json</code>, <code>authorized-user.json</code> and <code>token.json</code> lie in
                the directory that the emulator was started with. \(accounts(world))</p>
                <p>Without a key: <code>external-account.json</code> and <code>external-account-url.json</code> (a workload identity
                pool, by STS and the IAM Credentials API), <code>impersonated-service-account.json</code>, and the metadata server
                with <code>GCE_METADATA_HOST</code> as this address without its scheme.</p>
                </section>
                <section>
                <h2>Drives</h2>
                <ul>\(drives(world))</ul>
                </section>
                <section>
                <h2>Spreadsheets</h2>
                \(spreadsheets(files.filter(\.isSpreadsheet), world))
                </section>
                <section>
                <h2>Watch it and disturb it</h2>
                <ul>
                <li><a href="/emulator/requests">GET /emulator/requests</a>: what was asked of it</li>
                <li><a href="/emulator/state">GET /emulator/state</a>: what it holds, with <code>?values=true</code> the cells too</li>
                <li><a href="/emulator/faults">GET /emulator/faults</a>: the faults in force; a POST adds one</li>
                <li><a href="/emulator/quotas">GET /emulator/quotas</a>: limits and what was used; a POST changes them</li>
                <li><a href="/emulator/visibility">GET /emulator/visibility</a>: how late lists show new files; a POST changes it</li>
                </ul>
                <pre>curl -d '{"api":"sheets","action":"error","status":503,"count":2}' \(base)/emulator/faults</pre>
                </section>
                </main>
                """)
    }

    private static func accounts(_ world: World) -> String {
        let emails = world.authority.serviceAccounts.map { "<code>\(HTML.escape($0.email))</code>" }
        return emails.count == 1
            ? "Its service account is \(emails[0])."
            : "Its service accounts are \(emails.joined(separator: ", ")); their keys lie in the folder <code>service-accounts</code> there."
    }

    private static func drives(_ world: World) -> String {
        var items = world.drive.roots.sorted { $0.key < $1.key }.map { email, id in
            "<li><a href=\"/drive/folders/\(PercentCoding.encode(id))\">My Drive</a> of \(HTML.escape(email))</li>"
        }
        for drive in world.drive.sharedDrives.values.sorted(by: { ($0.name, $0.id) < ($1.name, $1.id) }) {
            items.append(
                "<li><a href=\"/drive/folders/\(PercentCoding.encode(drive.id))\">\(HTML.escape(drive.name))</a>, "
                    + "<code>\(HTML.escape(drive.id))</code></li>")
        }
        return items.isEmpty ? "<li>Nobody has been here yet.</li>" : items.joined(separator: "\n")
    }

    private static func spreadsheets(_ files: [DriveFile], _ world: World) -> String {
        guard !files.isEmpty else { return "<p>There are none yet.</p>" }
        let rows = files.prefix(50).map { file in
            let count = world.spreadsheets[file.id]?.sheets.count ?? 0
            return
                "<tr><td><a href=\"/spreadsheets/d/\(PercentCoding.encode(file.id))/edit\">\(HTML.escape(file.name))</a></td>"
                + "<td>\(PageLayout.path(to: file, world.drive))</td>"
                + "<td>\(count) \(count == 1 ? "sheet" : "sheets")</td><td>\(file.modifiedTime.text)</td></tr>"
        }
        let more = files.count > 50 ? "<p>and \(files.count - 50) more</p>" : ""
        return "<table>\(rows.joined(separator: "\n"))</table>\(more)"
    }

    private static let style = """
        main { max-width: 900px; margin: 0 auto; padding: 8px 20px 60px; }
        .lead { font-size: 16px; }
        section { background: #fff; border: 1px solid #e1e3e1; border-radius: 12px; padding: 4px 20px 12px; margin: 16px 0; }
        h2 { font-size: 16px; font-weight: 500; }
        table { border-collapse: collapse; width: 100%; }
        th { text-align: left; font-weight: 500; color: #5f6368; }
        th, td { padding: 5px 14px 5px 0; vertical-align: top; border-bottom: 1px solid #f0f1f0; }
        tr:last-child > * { border-bottom: 0; }
        pre { background: #f3f6fc; border-radius: 8px; padding: 10px 14px; overflow-x: auto; }
        """
}
