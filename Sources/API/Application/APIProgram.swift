import DatabaseCore
import HTTPServer
import JSON
import Platform
import Shared

/// The `api` program: reads its settings, serves until it is told to stop.
package enum APIProgram {
    /// - Returns: The exit code (`CONFIGURATION.md`).
    package static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        Program.openStandardDescriptors()
        switch arguments.first {
        case nil: return serve(environment)
        case "--version":
            let backends = StorageLocation.backends.map(\.rawValue).joined(separator: ", ")
            print("api \(ReleaseVersion.text) (storage: \(backends))")
            return 0
        case "--print-config": return printConfiguration(environment)
        case "backup": return BackupVerbs.backup(environment, arguments: Array(arguments.dropFirst()))
        case "restore": return BackupVerbs.restore(environment, arguments: Array(arguments.dropFirst()))
        case "verify": return APIMaintenance.verify(environment, arguments: Array(arguments.dropFirst()))
        case "migrate": return APIMaintenance.migrate(environment, arguments: Array(arguments.dropFirst()))
        case "rebuild": return APIMaintenance.rebuild(environment, arguments: Array(arguments.dropFirst()))
        case "--help", "-h":
            print(usage)
            return 0
        default:
            Program.complain("api: unknown argument '\(arguments[0])'\n\(usage)")
            return 2
        }
    }

    private static let usage = """
        usage: api                    serve (settings come from the environment, see docs/reference/CONFIGURATION.md)
               api verify             check the event log of a stopped api: exit 0 valid, 1 not
               api migrate --to URL   take everything over into a new, empty database while the api is stopped
               api backup FILE        a checked copy of everything of a stopped api, in one new file
               api backup --check FILE
                                      check every digest of such a file, and every hash of the log in it
               api restore FILE [--verify] [--to DIR] [--force] [--reason TEXT]
                                      put a backup into an empty data directory; --verify only tries it in a temporary
                                      folder; --force moves what is there aside
               api rebuild [--check]  fold the read models again (or only compare them) while the api is stopped
               api --print-config     every setting, its value and where it came from
               api --version
        """

    private static func serve(_ environment: [String: String]) -> Int32 {
        let configuration: APIConfiguration
        switch read(environment) {
        case .success(let read): configuration = read
        case .failure(let faults): return complain(faults)
        }
        let log = Log(
            level: configuration.logLevel, format: configuration.logFormat, journal: environment["JOURNAL_STREAM"])
        do {
            // Before any thread: threads inherit what is blocked.
            let signals = try Signals()
            return try serve(configuration, environment, signals, log)
        } catch {
            log.error("the api cannot start", ["error": .text("\(error)")])
            return exitCode(error)
        }
    }

    private static func serve(
        _ configuration: APIConfiguration, _ environment: [String: String], _ signals: Signals, _ log: Log
    ) throws -> Int32 {
        if configuration.isHeaderMode {
            log.warning("header mode: callers need no token and are who they say they are; for development only")
        }
        if configuration.allowsLoopbackBootstrap {
            log.warning("loopback bootstrap: whoever reaches a loopback address may become a workspace's owner")
        }
        if configuration.enforcementMode == .shadow {
            log.warning("shadow mode: policy is recorded and not enforced")
        }
        guard let address = SocketAddress(numeric: configuration.bindAddress, port: configuration.port) else {
            throw StartFailure("BIND_ADDRESS is no address")
        }
        // Bound first: the host check must know the port, and a taken port must not touch the data.
        let socket = try TCP.listen(at: address)
        let bound = TCP.localAddress(of: socket) ?? address
        let manager = ServiceManager(environment)
        let application = try withDatabase(log) {
            try APIApplication(configuration, port: bound.port, log: log) { fault in
                log.error("the storage has failed; nothing more is acknowledged", ["error": .text("\(fault)")])
                Program.exit(70)
            }
        }
        try application.start()
        let server = HTTPServer(handler: application.handler)
        try server.start(on: socket)
        if configuration.port == 0 { Program.say("http://\(bound)") }
        log.info(
            "ready",
            [
                "address": .text("http://\(bound)"), "data": .text(configuration.dataDirectory),
                "version": .text(ReleaseVersion.text), "pid": .number(Int64(Program.processID)),
            ])
        let status = "serving http://\(bound)"
        manager.notify(.ready(status))
        let watchdog = Watchdog(manager, asks: [{ server.onLoop($0) }, { application.askWriter($0) }])
        watchdog.start()
        return try wait(signals, application, server, environment, log) { happening in
            switch happening {
            case .reload: manager.notify(.reloading)
            case .reloaded: manager.notify(.ready(status))
            case .notReloaded: manager.notify(.ready("\(status), with the settings of before: the last reload failed"))
            case .stop:
                manager.notify(.stopping)
                watchdog.stop()
            }
        }
    }

    /// A program that is too old for its data is not to be started again and again; what failed may work the next time.
    static func exitCode(_ error: any Error) -> Int32 {
        if error is StartFailure { return 1 }
        return (error as? DatabaseError)?.kind == .newerSchema ? Settings.faultExitCode : 70
    }

    /// How long a start waits for a database server that is not there yet, as after a boot of both.
    private static let databaseWaitMilliseconds: Int64 = 30_000
    private static let databaseRetryMilliseconds: Int64 = 1_000

    private static func withDatabase(
        _ log: Log, _ start: () throws -> APIApplication
    ) throws -> APIApplication {
        let clock = SystemClock()
        let deadline = clock.monotonicMilliseconds() + databaseWaitMilliseconds
        while true {
            do {
                return try start()
            } catch let error as DatabaseError
                where error.kind == .unavailable && clock.monotonicMilliseconds() < deadline
            {
                log.warning("waiting for the database", ["error": .text("\(error)")])
                _ = Monitor(()).wait(milliseconds: databaseRetryMilliseconds) { _ in Bool?.none }
            }
        }
    }

    private enum Happening: Sendable { case reload, reloaded, notReloaded, stop }

    private static func wait(
        _ signals: Signals, _ application: APIApplication, _ server: HTTPServer, _ environment: [String: String],
        _ log: Log, _ say: @escaping @Sendable (Happening) -> Void
    ) throws -> Int32 {
        while true {
            switch try signals.next() {
            case .hangUp:
                say(.reload)
                switch read(environment) {
                case .success(let latest): application.reload(latest) { say($0 ? .reloaded : .notReloaded) }
                case .failure(let faults):
                    for fault in faults.faults { log.error("not reloaded", ["setting": .text("\(fault)")]) }
                    say(.notReloaded)
                }
            case .terminate, .interrupt:
                log.info("draining")
                say(.stop)
                application.beginDraining()
                server.drain(graceMilliseconds: APIApplication.drainMilliseconds)
                server.waitUntilStopped()
                application.stop(reason: "signal")
                log.info("stopped")
                return 0
            case nil: break
            }
        }
    }

    /// The environment, and over it the file that it names.
    static func read(_ environment: [String: String]) -> Result<APIConfiguration, SettingFaults> {
        do throws(SettingFaults) {
            let file = try Settings.envFile(named: environment) {
                try Files.read($0, bytesMax: Settings.envFileBytesMax)
            }
            let credentials = Settings.credentials(environment) {
                try? Files.read($0, bytesMax: Settings.secretBytesMax)
            }
            return .success(try APIConfiguration.read(environment: environment, file: file, credentials: credentials))
        } catch {
            return .failure(error)
        }
    }

    static func complain(_ faults: SettingFaults) -> Int32 {
        for fault in faults.faults { Program.complain("api: \(fault)") }
        return Settings.faultExitCode
    }

    private static func printConfiguration(_ environment: [String: String]) -> Int32 {
        switch read(environment) {
        case .failure(let faults): return complain(faults)
        case .success(let configuration):
            for shown in configuration.shown { print("\(shown.name)=\(shown.value)\t# \(shown.origin)") }
            return 0
        }
    }
}
