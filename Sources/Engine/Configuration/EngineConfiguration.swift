package import HTTP
package import Platform
package import Shared

/// All settings of the engine, read once at its start.
package struct EngineConfiguration: Sendable {
    package enum SandboxMode: String, CaseIterable, Sendable { case auto, require, off }

    package var apiBaseURL: HTTPURL
    package var workspace: WorkspaceID
    package var room: RoomID?
    package var actorID: String
    package var engineID: EngineID?
    package var engineToken: String?
    /// The file that holds both; plans never get it as a secret.
    package var credentialFile: String?
    package var maxParallelRuns: Int
    package var claimWaitMs: Int64
    package var pollMs: Int64
    package var runOnce: Bool
    package var secretsFolder: String?
    package var egressAllow: [HTTPAuthority]
    package var sandbox: SandboxMode
    package var graceMs: Int64
    package var dataFolder: String
    package var killSwitch: Bool
    package var envFile: String?
    package var logLevel: Log.Level
    package var logFormat: Log.Format?
    package var shown: [Settings.Shown]

    package var operatorTokenFile: String { dataFolder + "/operator.token" }
    package var workFolder: String { dataFolder + "/work" }

    package static let workspaceDefault = "ws_dev"
    private static let identityNames: Set<String> = ["ENGINE_ID", "ENGINE_AUTH_TOKEN"]
    private static let killSwitchName = "POLICY_KILL_SWITCH_EXTERNAL_WRITE"

    /// Reads the settings.
    /// - Parameters:
    ///   - file: What `AOS_ENV_FILE` holds, if it is set.
    ///   - credential: What ``credentialFile(_:_:)`` holds, if there is one.
    /// - Throws: every fault there is.
    package init(
        environment: [String: String], file: [String: String] = [:], credential: [String: String] = [:],
        hostName: String
    ) throws(SettingFaults) {
        envFile = environment["AOS_ENV_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        var settings = Settings(
            environment: environment, file: file, fileName: envFile ?? "",
            credentials: credential.filter { Self.identityNames.contains($0.key) })
        settings.refuseUnknownNames()
        let base = "http://127.0.0.1:7717"
        let url = settings.value("ENGINE_API_BASE_URL", allowed: "a URL such as \(base)") { text -> HTTPURL? in
            guard let url = try? HTTPURL(text), url.scheme == .http else { return nil }
            return url
        }
        guard let standard = try? HTTPURL(base) else { preconditionFailure("\(base) is a URL") }
        apiBaseURL = url ?? standard
        workspace = settings.identifier("ENGINE_WORKSPACE_ID") ?? WorkspaceID(rawValue: Self.workspaceDefault)
        room = settings.identifier("ENGINE_ROOM_ID")
        actorID = settings.text("ENGINE_ACTOR_ID", default: "engine-\(hostName)")
        engineID = settings.identifier("ENGINE_ID")
        engineToken = settings.secret("ENGINE_AUTH_TOKEN")
        maxParallelRuns = Int(settings.integer("ENGINE_MAX_PARALLEL_RUNS", default: 2, in: 1...64))
        claimWaitMs = settings.integer("ENGINE_CLAIM_WAIT_MS", default: 20_000, in: 0...30_000)
        pollMs = settings.integer("ENGINE_POLL_MS", default: 1_000, in: 10...3_600_000)
        runOnce = settings.flag("ENGINE_RUN_ONCE", default: false)
        let isAbsolute = { (path: String) in path.hasPrefix("/") ? path : nil }
        credentialFile = settings.value("ENGINE_CREDENTIAL_FILE", allowed: "an absolute path", read: isAbsolute)
        secretsFolder =
            settings.value("ENGINE_SECRETS_DIR", allowed: "an absolute path", read: isAbsolute)
            ?? environment["CREDENTIALS_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 }
        egressAllow =
            settings.value("EGRESS_ALLOW", allowed: "host:port, separated by commas", read: Self.hostsAndPorts) ?? []
        sandbox = settings.choice("ENGINE_SANDBOX", default: SandboxMode.auto)
        graceMs = settings.integer("ENGINE_GRACE_MS", default: 10_000, in: 0...3_600_000)
        dataFolder = settings.dataDirectory(environment)
        killSwitch = settings.flag(Self.killSwitchName, default: false)
        logLevel = settings.choice("AOS_LOG_LEVEL", default: Log.Level.info)
        logFormat = settings.choice("AOS_LOG_FORMAT", of: Log.Format.self)
        if (engineID == nil) != (engineToken == nil) {
            settings.refuse(
                engineID == nil ? "ENGINE_ID" : "ENGINE_AUTH_TOKEN", seen: "nothing",
                allowed: "a value: ENGINE_ID and ENGINE_AUTH_TOKEN go together")
        }
        shown = settings.shown
        if !settings.faults.isEmpty { throw SettingFaults(faults: settings.faults) }
    }

    /// The file that `ENGINE_CREDENTIAL_FILE` names: the two lines that `aos engine add` prints.
    package static func credentialFile(_ environment: [String: String], _ file: [String: String]) -> String? {
        (file["ENGINE_CREDENTIAL_FILE"] ?? environment["ENGINE_CREDENTIAL_FILE"]).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The kill switch as an env file has it; nil when it does not name it.
    package static func killSwitch(in file: [String: String]) -> Bool? {
        file[killSwitchName].map { Settings.truth($0) ?? true }
    }

    private static func hostsAndPorts(_ text: String) -> [HTTPAuthority]? {
        var found: [HTTPAuthority] = []
        for part in text.split(separator: ",") {
            guard let authority = HTTPAuthority(String(part.filter { $0 != " " })), authority.port != nil else {
                return nil
            }
            found.append(authority)
        }
        return found
    }
}

extension Settings {
    fileprivate mutating func identifier<Kind>(_ name: String) -> Identifier<Kind>? {
        text(name).map { Identifier(rawValue: $0) }
    }
}
