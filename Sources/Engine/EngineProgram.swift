import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// The engine as a program: settings, identity, the worker, and signals.
package enum EngineProgram {
    private static let failed: Int32 = 1
    private static let usageWrong: Int32 = 2
    private static let authentication: Int32 = 4
    private static let internalFailure: Int32 = 70

    /// Runs until told to stop. Never returns.
    package static func main() -> Never {
        Program.openStandardDescriptors()
        if let word = Program.arguments.first { Program.exit(answer(word)) }
        guard let signals = try? Signals() else {
            Program.complain("engine: signals cannot be received")
            Program.exit(internalFailure)
        }
        let configuration: EngineConfiguration
        do throws(SettingFaults) {
            configuration = try readConfiguration()
        } catch {
            for fault in error.faults { Program.complain("engine: \(fault)") }
            Program.exit(Settings.faultExitCode)
        }
        SystemProcesses.becomeReaper()
        SystemProcesses.setSentinel()
        Program.exit(Started(configuration).run(signals))
    }

    private static let usage = """
        usage: engine                 work (settings come from the environment, see docs/reference/CONFIGURATION.md)
               engine --print-config  every setting, its value and where it came from
               engine --version
        """

    /// What is not work.
    private static func answer(_ word: String) -> Int32 {
        switch word {
        case "--version": print("engine \(ReleaseVersion.text)")
        case "--help", "-h": print(usage)
        case "--print-config":
            do throws(SettingFaults) {
                for shown in try readConfiguration().shown {
                    print("\(shown.name)=\(shown.value)\t# \(shown.origin)")
                }
            } catch {
                for fault in error.faults { Program.complain("engine: \(fault)") }
                return Settings.faultExitCode
            }
        default:
            Program.complain("engine: unknown argument '\(word)'\n\(usage)")
            return usageWrong
        }
        return 0
    }

    private static func readConfiguration() throws(SettingFaults) -> EngineConfiguration {
        let environment = Program.environment()
        let file = try readEnvFile(environment)
        return try EngineConfiguration(
            environment: environment, file: file, credential: readCredential(environment, file),
            hostName: Program.hostName)
    }

    private static func readCredential(
        _ environment: [String: String], _ file: [String: String]
    ) throws(SettingFaults) -> [String: String] {
        guard let path = EngineConfiguration.credentialFile(environment, file) else { return [:] }
        let name = "ENGINE_CREDENTIAL_FILE"
        return try Settings.linesFile(path, named: name) { try Files.read($0, bytesMax: Settings.secretBytesMax) }
    }

    private static func readEnvFile(_ environment: [String: String]) throws(SettingFaults) -> [String: String] {
        try Settings.envFile(named: environment) { try Files.read($0, bytesMax: Settings.envFileBytesMax) }
    }

    /// The program with its settings read.
    private struct Started {
        let configuration: EngineConfiguration
        let log: Log
        let manager: ServiceManager
        let clock = SystemClock()
        let entropy = SystemEntropy()

        init(_ configuration: EngineConfiguration) {
            self.configuration = configuration
            log = Log(
                level: configuration.logLevel, format: configuration.logFormat,
                journal: Program.environment()["JOURNAL_STREAM"])
            manager = ServiceManager(Program.environment())
        }

        func run(_ signals: Signals) -> Int32 {
            let control = Monitor<StopState>(StopState())
            Thread.start("signals") { listen(signals, control) }
            let identity: (id: EngineID, token: String)
            do throws(ToolFailure) {
                let found = try EngineIdentity(
                    configuration: configuration, transport: transport(), entropy: entropy, log: log
                ).credential(
                    pause: { milliseconds in
                        _ = control.wait(milliseconds: milliseconds) { $0.isStopping ? true : nil }
                    }, isStopping: { control.read { $0.isStopping } })
                guard let found else { return 0 }
                identity = found
            } catch {
                log.error("engine_refused", ["reason": .text(error.message)])
                return EngineProgram.authentication
            }
            let worker = worker(identity)
            if configuration.killSwitch { worker.setKillSwitch(true) }
            let isStopping = control.update { state -> Bool in
                state.worker = worker
                return state.isStopping
            }
            if isStopping { return 0 }
            log.info(
                "engine_started",
                [
                    "engine": .text(identity.id.rawValue), "workspace": .text(configuration.workspace.rawValue),
                    "api": .text(configuration.apiBaseURL.hostField),
                    "parallel": .number(Int64(configuration.maxParallelRuns)),
                ])
            manager.notify(.ready(status))
            let watchdog = Watchdog(
                manager, asks: Worker.Vital.allCases.map { vital in { worker.ask(vital, $0) } })
            watchdog.start()
            worker.run()
            watchdog.stop()
            log.info("engine_stopped")
            return 0
        }

        private var status: String { "working for \(configuration.apiBaseURL.hostField)" }

        private func transport() -> any HTTPTransport {
            SocketTransport(host: configuration.apiBaseURL.host, port: configuration.apiBaseURL.port)
        }

        private func worker(_ identity: (id: EngineID, token: String)) -> Worker {
            func client() -> APIClient {
                APIClient(
                    transport: transport(), credential: .engine(identity.id, token: identity.token),
                    workspace: configuration.workspace)
            }
            let runner = SystemProcesses()
            let hidden = [configuration.dataFolder, configuration.secretsFolder].compactMap { $0 }
                .map { Files.resolved($0) ?? $0 }
            let sandbox = Sandbox.probe(configuration.sandbox, hidden: hidden, runner: runner)
            say(sandbox)
            let parts = WorkerParts(
                client: client(),
                tools: .standard(
                    sandbox: sandbox, runner: runner, egress: EgressRule(allowed: configuration.egressAllow),
                    clock: clock),
                secrets: SecretStore(folder: configuration.secretsFolder, reserved: configuration.credentialFile),
                ownSecrets: [identity.token],
                workFolder: configuration.workFolder, hidden: hidden, clock: clock, entropy: entropy, log: log)
            let settings = Worker.Settings(
                engineID: identity.id, room: configuration.room, maxParallelRuns: configuration.maxParallelRuns,
                claimWaitMs: configuration.claimWaitMs, pollMs: configuration.pollMs, runOnce: configuration.runOnce,
                graceMs: configuration.graceMs)
            let lines = Worker.Lines(claims: client(), heartbeats: client(), control: client())
            return Worker(settings, lines, parts)
        }

        private func say(_ sandbox: Sandbox) {
            switch sandbox.level {
            case .bubblewrap: log.info("sandbox", ["level": "bubblewrap"])
            case .none:
                log.warning(
                    "sandbox",
                    [
                        "level": "none",
                        "warning": "ENGINE_SANDBOX=off: EVERY SHELL STEP CAN DO ALL THAT THIS USER CAN DO",
                    ])
            case .unavailable:
                log.warning(
                    "sandbox", ["level": "unavailable", "reason": .text(sandbox.reason), "effect": "shell is refused"])
            }
        }

        // MARK: Signals

        private struct StopState {
            var isStopping = false
            var worker: Worker?
        }

        private func listen(_ signals: Signals, _ control: Monitor<StopState>) {
            while let signal = try? signals.next() {
                switch signal {
                case .terminate, .interrupt:
                    manager.notify(.stopping)
                    let worker = control.update { state -> Worker? in
                        state.isStopping = true
                        return state.worker
                    }
                    worker?.drain()
                case .hangUp:
                    let worker = control.read { $0.worker }
                    // One that is not ready yet has nothing to be ready with again.
                    if worker != nil { manager.notify(.reloading) }
                    let isDone = reload(worker)
                    if worker != nil {
                        manager.notify(.ready(isDone ? status : "\(status); the last reload failed"))
                    }
                }
            }
        }

        /// Only the kill switch is read anew here; the rest needs a restart. False when the file could not be read.
        private func reload(_ worker: Worker?) -> Bool {
            guard let path = configuration.envFile else {
                log.warning("reload_ignored", ["reason": "AOS_ENV_FILE is not set"])
                return true
            }
            let values: [String: String]
            do throws(SettingFaults) {
                values = try EngineProgram.readEnvFile(["AOS_ENV_FILE": path])
            } catch {
                for fault in error.faults { log.error("reload_fault", ["fault": .text("\(fault)")]) }
                return false
            }
            worker?.setKillSwitch(EngineConfiguration.killSwitch(in: values) ?? configuration.killSwitch)
            log.info("reloaded", ["file": .text(path), "note": "all but the kill switch needs a restart"])
            return true
        }
    }
}
