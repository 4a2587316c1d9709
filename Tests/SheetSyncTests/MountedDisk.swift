import Foundation
import Subprocess

/// A small file system in memory, which a test can fill.
enum MountedDisk {
    /// Whether file systems can be mounted here.
    static func canBeMade() async throws -> Bool {
        let place = try TemporaryDirectory()
        defer { place.remove() }
        guard await mount(on: place.path, "size=300k") else { return false }
        await unmount(place.path)
        return true
    }

    /// Mounts one on a folder; returns whether that went well.
    static func mount(on path: String, _ options: String) async -> Bool {
        await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)
    }

    /// Changes the size of one.
    static func resize(_ path: String, to size: String) async -> Bool {
        await run("mount", "-o", "remount,size=\(size)", path)
    }

    /// Fills one to the last byte.
    static func fill(_ path: String) async { _ = await run("dd", "if=/dev/zero", "of=\(path)/ballast", "bs=64k") }

    static func unmount(_ path: String) async { _ = await run("umount", path) }

    private static func run(_ program: String, _ arguments: String...) async -> Bool {
        let result = try? await Subprocess.run(
            .name(program), arguments: Arguments(arguments), output: .discarded, error: .discarded)
        return result?.terminationStatus.isSuccess == true
    }
}
