import JSON

/// A shared drive; its top folder is a file of the same id.
struct SharedDrive: Sendable {
    let id: String
    var name: String
    let createdTime: Timestamp
    var isHidden = false
    /// Whether everybody is a member; otherwise the top folder's permissions say who is.
    let isOpen: Bool

    /// Google's resource of the drive.
    func resource(role: Permission.Role?) -> JSON {
        [
            "kind": "drive#drive", "id": .string(id), "name": .string(name), "colorRgb": "#0f9d58",
            "createdTime": .string(createdTime.rfc3339), "hidden": JSON(isHidden),
            "capabilities": [
                "canAddChildren": JSON(role ?? .reader >= .writer), "canEdit": JSON(role ?? .reader >= .writer),
                "canManageMembers": JSON(role == .organizer), "canDeleteDrive": JSON(role == .organizer),
                "canRenameDrive": JSON(role == .organizer), "canListChildren": true, "canReadRevisions": true,
            ],
            "restrictions": [
                "copyRequiresWriterPermission": false, "domainUsersOnly": false, "driveMembersOnly": false,
                "adminManagedRestrictions": false, "sharingFoldersRequiresOrganizerPermission": false,
            ],
        ]
    }
}
