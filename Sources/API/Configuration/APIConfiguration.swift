package import Domain
package import Platform
package import Shared

/// All that the api can be told, read once at the start (`CONFIGURATION.md`).
package struct APIConfiguration: Sendable {
    package var port: UInt16
    package var bindAddress: String
    package var dataDirectory: String
    package var storage: StorageLocation
    /// Where contents of artifacts are; processes that share a database share it too.
    package var blobsDirectory: String
    /// Where systemd puts what `LoadCredential` names.
    package var credentialsDirectory: String?
    /// Where checkpoints are also written, for others to take away.
    package var auditPublishDirectory: String?
    package var envFile: String?
    package var killSwitch: Bool
    package var enforcementMode: EnforcementMode
    /// Whether a failed run opens an incident by itself.
    package var isPromotionLoopEnabled: Bool
    /// Callers name their workspace and nobody is asked for a token: loopback only.
    package var isHeaderMode: Bool
    package var leaseMilliseconds: Int64
    package var sessions: SessionDecider.Lifetimes
    /// Proves, once, that a caller may make a workspace's owner.
    package var bootstrapToken: String?
    /// Whether a caller on this machine may make a workspace's owner without any proof.
    package var allowsLoopbackBootstrap: Bool
    package var allowedHosts: [String]
    /// Pages of these origins may use the api (CORS); none unless said.
    package var allowedOrigins: [String]
    package var artifactBytesMax: Int
    /// What a scraper of `/metrics` has to show; nil where the listener is loopback and nobody has to.
    package var metricsToken: String?
    package var isLoopback: Bool
    /// Where the web UI's files are taken from by who works on them; nil for those in the program.
    package var webFolder: String?
    package var logLevel: Log.Level
    package var logFormat: Log.Format?
    package var shown: [Settings.Shown]

    /// - Parameters:
    ///   - file: What the file named by `AOS_ENV_FILE` says; it replaces the environment.
    ///   - credentials: What the service manager hands over.
    /// - Throws: All faults at once.
    package static func read(
        environment: [String: String], file: [String: String] = [:], credentials: [String: String] = [:]
    ) throws(SettingFaults) -> APIConfiguration {
        var settings = Settings(
            environment: environment, file: file, fileName: environment["AOS_ENV_FILE"] ?? "", credentials: credentials)
        let configuration = APIConfiguration(&settings, environment: environment)
        settings.refuseUnknownNames()
        guard settings.faults.isEmpty else { throw SettingFaults(faults: settings.faults) }
        return configuration
    }

    private init(_ settings: inout Settings, environment: [String: String]) {
        port = UInt16(settings.integer("PORT", default: 7717, in: 0...65_535))
        bindAddress = settings.text("BIND_ADDRESS", default: "127.0.0.1")
        dataDirectory = settings.dataDirectory(environment)
        storage = StorageLocation(&settings, dataDirectory: dataDirectory)
        blobsDirectory =
            settings.value("AOS_BLOBS_DIR", allowed: "an absolute path") { $0.hasPrefix("/") ? $0 : nil }
            ?? "\(dataDirectory)/blobs"
        credentialsDirectory = environment["CREDENTIALS_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 }
        auditPublishDirectory = settings.value("AOS_AUDIT_PUBLISH_DIR", allowed: "an absolute path") {
            $0.hasPrefix("/") ? $0 : nil
        }
        envFile = settings.text("AOS_ENV_FILE")
        killSwitch = settings.flag("POLICY_KILL_SWITCH_EXTERNAL_WRITE", default: false)
        enforcementMode = settings.choice("POLICY_ENFORCEMENT_MODE", default: .enforce)
        isPromotionLoopEnabled = settings.flag("PROMOTION_LOOP_ENABLED", default: true)
        let requiresSession = settings.flag("AUTH_REQUIRE_SESSION", default: true)
        let allowsHeader = settings.flag("AUTH_ALLOW_LEGACY_WORKSPACE_HEADER", default: false)
        isHeaderMode = allowsHeader || !requiresSession
        leaseMilliseconds = settings.integer("RUN_LEASE_TTL_MS", default: 30_000, in: 1000...3_600_000)
        allowedHosts = (settings.text("AOS_ALLOWED_HOSTS") ?? "").split(separator: ",").map { host in
            String(host.filter { $0 != " " }).lowercased()
        }
        let access = settings.integer(
            "AUTH_SESSION_ACCESS_TTL_SEC", default: AuthRules.accessSecondsDefault, in: 60...31_536_000)
        let refresh = settings.integer(
            "AUTH_SESSION_REFRESH_TTL_SEC", default: AuthRules.refreshSecondsDefault, in: 60...31_536_000)
        sessions = .init(accessMilliseconds: access * 1000, refreshMilliseconds: refresh * 1000)
        bootstrapToken = settings.secret("AUTH_BOOTSTRAP_TOKEN")
        allowsLoopbackBootstrap = settings.flag("AUTH_BOOTSTRAP_ALLOW_LOOPBACK", default: false)
        allowedOrigins =
            settings.value(
                "AOS_ALLOWED_ORIGINS", allowed: "exact origins such as http://localhost:5173, separated by commas",
                read: CrossOrigin.origins) ?? []
        artifactBytesMax = Int(settings.integer("ARTIFACT_BYTES_MAX", default: 256 << 20, in: 1...(16 << 30)))
        metricsToken = settings.secret("METRICS_TOKEN")
        webFolder = settings.value("AOS_WEB_DIR", allowed: "an absolute path") { $0.hasPrefix("/") ? $0 : nil }
        logLevel = settings.choice("AOS_LOG_LEVEL", default: .info)
        logFormat = settings.choice("AOS_LOG_FORMAT", of: Log.Format.self)
        let address = SocketAddress(numeric: bindAddress, port: 0)
        isLoopback = address?.isLoopback ?? false
        if address == nil {
            settings.refuse("BIND_ADDRESS", seen: "\"\(bindAddress)\"", allowed: "a numeric IPv4 or IPv6 address")
        } else if !isLoopback {
            if isHeaderMode {
                settings.refuse(
                    "BIND_ADDRESS", seen: "\"\(bindAddress)\"",
                    allowed: "a loopback address, because callers need no token in the header mode")
            }
            if allowedHosts.isEmpty {
                settings.refuse(
                    "BIND_ADDRESS", seen: "\"\(bindAddress)\"",
                    allowed: "a loopback address, or another one with AOS_ALLOWED_HOSTS set")
            }
        }
        shown = settings.shown
    }
}
