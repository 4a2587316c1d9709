import JSON

/// Drive's list of changes; a page token is the moment from which on changes count.
enum ChangesAPI {
    /// Answers a call; nil for a method that the emulator does not play.
    static func respond(_ call: APICall, _ drive: DriveStore) throws(GoogleError) -> JSON? {
        switch call.method.id {
        case "drive.changes.getStartPageToken":
            let answer: JSON = ["kind": "drive#startPageToken", "startPageToken": .string(token(call.now))]
            return call.fields?.filter(answer) ?? answer
        case "drive.changes.list":
            let answer = try list(call, drive)
            return call.fields?.filter(answer) ?? answer
        default: return nil
        }
    }

    private static func token(_ moment: Timestamp) -> String { String(moment.milliseconds) }

    private static func list(_ call: APICall, _ drive: DriveStore) throws(GoogleError) -> JSON {
        guard let start = call.query["pageToken"].flatMap({ Int($0) }), start >= 0 else {
            throw .invalidParameter("pageToken")
        }
        let seesShared = call.query.flag("includeItemsFromAllDrives")
        let changed = drive.files.values.filter { file in
            file.modifiedTime.milliseconds >= start && file.parent != nil && (seesShared || file.driveID == nil)
                && (call.query["driveId"] == nil || file.driveID == call.query["driveId"])
                && drive.role(of: call.token.email, file) != nil && call.token.opens(file)
        }.sorted { ($0.modifiedTime, $0.id) < ($1.modifiedTime, $1.id) }
        return [
            "kind": "drive#changeList", "newStartPageToken": .string(token(call.now)),
            "changes": .array(
                changed.map { file in
                    [
                        "kind": "drive#change", "changeType": "file", "removed": false, "fileId": .string(file.id),
                        "time": .string(file.modifiedTime.rfc3339), "file": DriveAPI.resource(file, call, drive),
                    ]
                }),
        ]
    }
}
