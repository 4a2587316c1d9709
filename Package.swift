// swift-tools-version:6.2
import PackageDescription

// One list of settings for every target, applied at the end of this file.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")

let package = Package(
    name: "sheetsync",
    products: [
        .executable(name: "sheetsync", targets: ["sheetsync"]),
        .executable(name: "sheetsync-emulator", targets: ["sheetsync-emulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // Without its JSON trait, which would link all of Foundation.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        // Layer 0: the C libraries (a module map and a shim each), and what knows nothing but bytes and numbers.
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "JSON"),
        .target(name: "HostRule"),
        .target(name: "Arithmetic"),

        // Layer 1: each wraps one thing and knows nothing of the others.
        .target(name: "Postgres", dependencies: ["CPostgres", logging]),
        .target(name: "HTTP", dependencies: ["CCurl", "CZlib", httpTypes]),
        .target(name: "SheetModel", dependencies: ["Arithmetic", "JSON"]),
        .target(name: "Systemd"),

        // Layer 2: the queue on Postgres, and Google's APIs on HTTP.
        .target(
            name: "JobQueue", dependencies: ["Arithmetic", "JSON", "Postgres", lifecycle, logging],
            resources: [.embedInCode("Migrations")]),
        .target(name: "Google", dependencies: ["Arithmetic", "COpenSSL", "JSON", "HTTP", httpTypes, logging]),

        // Layer 3: job kinds become plans and API calls. The emulator stands beside and imports nothing of layers 1 to 3.
        .target(
            name: "Export",
            dependencies: ["Arithmetic", "JSON", "JobQueue", "Google", "Postgres", "SheetModel", logging],
            resources: [.embedInCode("Migrations")]),
        .target(
            name: "GoogleEmulator",
            dependencies: [
                "COpenSSL", "CZlib", "HostRule", "JSON", httpTypes, lifecycle, logging,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            resources: [.embedInCode("Resources/drive.schema"), .embedInCode("Resources/sheets.schema")]),

        // A throw-away PostgreSQL server, for the demonstration and for the tests; no part of the daemon.
        .target(
            name: "PostgresServer",
            dependencies: [subprocess]),

        // What both programs say and how they end.
        .target(
            name: "Output",
            dependencies: [
                "JSON", "Systemd", logging, .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),

        // Layer 4: the command line and the composition root. No TLS but OpenSSL's, and nothing of the emulator.
        .executableTarget(
            name: "sheetsync",
            dependencies: [
                "CLinux", "CZlib", "Export", "Google", "HTTP", "HostRule", "JSON", "JobQueue", "Output", "Postgres",
                "SheetModel", "Systemd", httpTypes, lifecycle, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                subprocess,
            ]),

        // The emulated Google and the demonstration, which `sheetsync emulator` and `sheetsync demo` execute.
        .executableTarget(
            name: "sheetsync-emulator",
            dependencies: [
                "Google", "GoogleEmulator", "HTTP", "JSON", "JobQueue", "Output", "Postgres", "PostgresServer",
                "SheetModel", httpTypes, lifecycle, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                subprocess,
            ],
            resources: [.embedInCode("Demo/Resources")]),

        // Tests: one target a module; TestSupport holds what several of them start or wait for.
        .target(
            name: "TestSupport",
            dependencies: [
                "CPostgres", "JSON", "JobQueue", "Postgres", "PostgresServer", lifecycle, logging, subprocess,
            ],
            path: "Tests/TestSupport"),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport", "PostgresServer"]),
        .target(name: "ScriptedHTTP", path: "Tests/ScriptedHTTP"),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "ScriptedHTTP", httpTypes]),
        .testTarget(name: "SheetModelTests", dependencies: ["Arithmetic", "SheetModel", "JSON", "TestSupport"]),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd", "TestSupport"]),
        .testTarget(
            name: "JobQueueTests",
            dependencies: ["JobQueue", "JSON", "Postgres", "PostgresServer", "SheetModel", "TestSupport", logging]),
        .testTarget(
            name: "GoogleTests",
            dependencies: ["Arithmetic", "Google", "HTTP", "JSON", "COpenSSL", "ScriptedHTTP", httpTypes, logging]),
        .testTarget(
            name: "GoogleEmulatorTests",
            dependencies: ["GoogleEmulator", "JSON", "COpenSSL", "TestSupport", lifecycle, logging, subprocess]),
        .testTarget(
            name: "ExportTests",
            dependencies: [
                "Export", "Google", "GoogleEmulator", "HTTP", "JSON", "JobQueue", "Postgres", "SheetModel",
                "TestSupport", httpTypes, logging,
            ]),
        .testTarget(
            name: "SheetSyncTests",
            dependencies: [
                "Export", "GoogleEmulator", "HTTP", "JSON", "JobQueue", "Output", "Postgres", "PostgresServer",
                "ScriptedHTTP", "Systemd", "TestSupport", "sheetsync", "sheetsync-emulator", httpTypes, lifecycle,
                logging, subprocess,
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
    ]
)

// What reads, checks and writes cells. Without the optimizer it takes most of the time of a test run; assertions stay.
let computing: Set = ["Arithmetic", "GoogleEmulator", "JSON", "SheetModel"]
let optimizer = SwiftSetting.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))

for target in package.targets where target.type != .system {
    target.swiftSettings = settings + (computing.contains(target.name) ? [optimizer] : [])
}
