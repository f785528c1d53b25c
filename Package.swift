// swift-tools-version: 6.2
import PackageDescription

// One line per module: its name, then everything it may import. The build enforces it
// (`--explicit-target-dependency-import-check error`), so this list is the architecture diagram.
let package = Package(
    name: "agentos",
    products: [
        .executable(name: "api", targets: ["APIMain"]),
        .executable(name: "engine", targets: ["EngineMain"]),
        .executable(name: "aos", targets: ["CLIMain"]),
    ],
    // Without libpq-dev: `swift build --disable-default-traits`.
    traits: [
        .trait(name: "Postgres", description: "Postgres as a storage backend, by libpq"),
        .default(enabledTraits: ["Postgres"]),
    ],
    targets: [
        // Level 0: the outside world, and formats.
        system("CLinux"), system("CSQLite", apt: "libsqlite3-dev"), system("COpenSSL", apt: "libssl-dev"),
        system("CPostgres", apt: "libpq-dev"),
        module("Platform", "CLinux"),
        module("JSON"),
        module("HTTP"),
        module("DatabaseCore", "Platform"),
        // Level 1: mechanisms, and the vocabulary on the wire.
        module("Crypto", "COpenSSL"),
        module("HTTPServer", "HTTP", "Platform"),
        module("HTTPClient", "HTTP", "Platform"),
        module("DatabaseSQLite", "DatabaseCore", "Platform", "CSQLite"),
        module("DatabasePostgres", "DatabaseCore", "Platform", "CPostgres"),
        module("Shared", "HTTP", "JSON"),
        module("APIClient", "Shared", "HTTPClient", "HTTP", "JSON"),
        // The files of `Sources/API/WebUI`, as bytes.
        .target(
            name: "WebAssets", path: "Sources/WebAssets",
            // `#embed` is of C23; the compiler has it in all its dialects.
            cSettings: [.disableWarning("c23-extensions")]),
        // Level 2 and 3: decide, record, project.
        module("Domain", "Shared", "JSON"),
        module("EventStore", "Shared", "DatabaseCore", "Crypto", "JSON"),
        module("Projectors", "Domain", "Shared", "EventStore", "DatabaseCore", "Crypto", "JSON"),
        // Level 4: the programs' bodies.
        module(
            "API", exclude: ["WebUI"], "Projectors", "EventStore", "Domain", "Shared", "DatabaseSQLite",
            "DatabasePostgres", "DatabaseCore", "HTTPServer", "HTTP", "JSON", "Crypto", "Platform", "WebAssets"),
        module("Engine", "APIClient", "Shared", "HTTPClient", "HTTP", "JSON", "Crypto", "Platform"),
        module(
            "CLI", embedding: ["Bundle"], "APIClient", "Shared", "HTTPServer", "HTTPClient", "HTTP", "JSON", "Platform"),
        // Level 5: one main.swift each.
        program("APIMain", "API", "Platform"), program("EngineMain", "Engine", "Platform"),
        program("CLIMain", "CLI", "Platform"),
        .executableTarget(
            name: "Bench",
            dependencies: [
                "API", "APIClient", "Projectors", "EventStore", "Shared", "HTTPClient", "HTTP", "DatabaseSQLite",
                "DatabaseCore", "JSON", "Platform",
            ],
            path: "infra/bench/Bench", swiftSettings: houseSettings()),
        // Tests mirror the modules; TestSupport is what several of them share.
        .target(
            name: "PostgresTestSupport",
            dependencies: ["DatabasePostgres", "DatabaseSQLite", "DatabaseCore", "Platform", "CPostgres"].map(
                dependency),
            path: "Tests/PostgresTestSupport", swiftSettings: houseSettings()),
        .target(
            name: "TestSupport",
            dependencies: [
                "PostgresTestSupport", "API", "APIClient", "Projectors", "EventStore", "Shared", "HTTPServer",
                "HTTPClient", "HTTP", "DatabaseCore", "JSON", "Crypto", "Platform",
            ], path: "Tests/TestSupport", swiftSettings: houseSettings()),
        suite("CLITests", "CLI", "APIClient", "Shared", "HTTPClient", "HTTP", "JSON", "Platform"),
        suite(
            "ContractTests", exclude: ["Authorization/matrix.txt"], "TestSupport", "PostgresTestSupport", "API",
            "APIClient", "Projectors",
            "EventStore", "Shared", "Domain", "DatabaseSQLite", "DatabasePostgres", "DatabaseCore", "HTTPServer",
            "HTTPClient", "HTTP",
            "JSON", "Crypto", "Platform"),
        suite("CryptoTests", "Crypto"),
        suite(
            "DatabaseTests", "PostgresTestSupport", "DatabaseCore", "DatabaseSQLite", "DatabasePostgres", "Platform",
            "CSQLite"),
        suite("DomainTests", "Domain", "Shared", "JSON", "Platform"),
        suite(
            "EndToEndTests", "PostgresTestSupport", "DatabaseCore", "APIClient", "Shared", "HTTPServer", "HTTPClient",
            "HTTP", "JSON", "Crypto", "Platform",
            "CSQLite", "CLinux"),
        suite("EngineTests", "Engine", "APIClient", "Shared", "HTTPClient", "HTTP", "JSON", "Crypto", "Platform"),
        suite(
            "EventStoreTests", "PostgresTestSupport", "EventStore", "Shared", "DatabaseSQLite", "DatabasePostgres",
            "DatabaseCore", "Crypto", "JSON", "Platform", "CSQLite", "CLinux"),
        suite("HTTPClientTests", "HTTPClient", "HTTPServer", "HTTP", "Platform"),
        suite("HTTPServerTests", "HTTPServer", "HTTP", "Platform"),
        suite("HTTPTests", "HTTP"),
        suite("JSONTests", "JSON"),
        suite("PlatformTests", "Platform"),
        suite(
            "ProjectorTests", "PostgresTestSupport", "Projectors", "Domain", "EventStore", "Shared", "DatabaseSQLite",
            "DatabaseCore", "Crypto", "JSON", "Platform"),
        suite("SharedTests", exclude: ["Golden"], "Shared", "HTTP", "JSON", "Platform"),
        suite(
            "TidyTests", "TestSupport", "API", "CLI", "Projectors", "Domain", "Shared", "HTTP", "JSON", "Platform"),
    ]
)

/// A header shim for a C library of the system.
func system(_ name: String, apt: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Sources/System/\(name)", providers: apt.map { [.apt([$0])] })
}

/// A library module under `Sources/`, with all it may import.
/// - Parameter embedding: Folders of it whose files become constants of the code (`PackageResources`).
func module(
    _ name: String, exclude: [String] = [], embedding: [String] = [], _ imports: String...
) -> Target {
    .target(
        name: name, dependencies: imports.map(dependency), exclude: exclude,
        resources: embedding.map { .embedInCode($0) }, swiftSettings: houseSettings())
}

/// A program: a `main.swift` that starts its library.
func program(_ name: String, _ imports: String...) -> Target {
    .executableTarget(
        name: name, dependencies: imports.map(dependency), path: "Sources/Programs/\(name)",
        swiftSettings: houseSettings())
}

/// A test suite under `Tests/`.
func suite(_ name: String, exclude: [String] = [], _ imports: String...) -> Target {
    .testTarget(
        name: name, dependencies: imports.map(dependency), exclude: exclude,
        swiftSettings: houseSettings())
}

/// libpq is only looked for where the trait wants it.
func dependency(_ name: String) -> Target.Dependency {
    name == "CPostgres" ? .target(name: name, condition: .when(traits: ["Postgres"])) : .init(stringLiteral: name)
}

func houseSettings() -> [SwiftSetting] {
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
