import JSON
package import Platform
package import Shared

/// What a program may see and do while a step runs it.
package struct Sandbox: Sendable {
    package enum Level: String, Sendable {
        case bubblewrap
        /// None: the user has said so.
        case none
        /// Wanted, and not to be had: nothing is executed.
        case unavailable
    }

    package let level: Level
    /// Why it is unavailable.
    package let reason: String
    private let hidden: [String]
    private let layout: SystemLayout

    private static let bwrap = "/usr/bin/bwrap"
    private static let prlimit = "/usr/bin/prlimit"
    private static let setpriv = "/usr/bin/setpriv"
    private static let home = "/home/agent"
    private static let path = "/usr/local/bin:/usr/bin:/bin"
    private static let probeMilliseconds: Int64 = 10_000
    private static let temporaryBytesMax = 268_435_456

    /// The limits of every program: core dumps, open files, file size, processes.
    private static let limits = [
        "--core=0:0", "--nofile=1024:1024", "--fsize=10737418240:10737418240", "--nproc=4096:4096",
    ]

    package init(level: Level, reason: String = "", hidden: [String] = [], layout: SystemLayout = .read()) {
        (self.level, self.reason, self.hidden, self.layout) = (level, reason, hidden, layout)
    }

    /// Finds out what works here by really running a program in it.
    /// - Parameter hidden: Folders that no program may see: the data folder, the secrets.
    package static func probe(
        _ mode: EngineConfiguration.SandboxMode, hidden: [String], runner: any ProcessRunner
    ) -> Sandbox {
        if mode == .off { return Sandbox(level: .none, hidden: hidden) }
        let sandbox = Sandbox(level: .bubblewrap, hidden: hidden)
        do {
            guard Files.exists(bwrap) else { throw ToolFailure("missing", "\(bwrap) is not installed") }
            var command = try sandbox.command(
                SandboxRequest(
                    argv: ["/usr/bin/true"], environment: [:], workdir: "/usr", directory: "/usr", network: false,
                    runID: "probe", stepID: "probe"))
            command.timeoutMilliseconds = probeMilliseconds
            var said = OutputCapture(Masker([]))
            let end = try runner.run(command, stop: StopSignal()) { said.add($1) }
            guard end.exit == .code(0) else {
                throw ToolFailure("refused", "it does not start here: \(said.ending(bytesMax: 512))")
            }
            return sandbox
        } catch let failure as ToolFailure {
            return Sandbox(level: .unavailable, reason: failure.message, hidden: hidden)
        } catch { return Sandbox(level: .unavailable, reason: "\(error)", hidden: hidden) }
    }

    /// The program as it is really started.
    package func command(_ request: SandboxRequest) throws(ToolFailure) -> ProcessCommand {
        switch level {
        case .bubblewrap: return bubblewrapped(request)
        case .none: return bare(request)
        case .unavailable:
            throw ToolFailure(
                "sandbox_unavailable",
                "no sandbox works on this machine (\(reason)); install bubblewrap, or set ENGINE_SANDBOX=off and accept"
                    + " that steps can do all you can", beforeStart: true)
        }
    }

    /// What the end of a program says about the sandbox itself; nil when the program did run.
    func failure(_ end: ProcessEnd, stderrTail: String) -> ToolFailure? {
        guard level == .bubblewrap else { return nil }
        let report = String(decoding: end.report, as: UTF8.self)
        guard !report.contains("child-pid") else { return nil }
        return ToolFailure(
            "sandbox_failed", "the sandbox could not be set up: \(stderrTail)", retryable: true, beforeStart: true)
    }

    // MARK: Environment

    private func environment(_ request: SandboxRequest, home: String) -> [String: String] {
        var variables = [
            "PATH": Self.path, "HOME": home, "LANG": "C.UTF-8", "TMPDIR": "/tmp",
            "AOS_RUN_ID": request.runID.rawValue,
        ]
        variables.merge(request.environment) { _, declared in declared }
        // Last: by it everything that belongs to the step is found again.
        variables["AOS_STEP_ID"] = request.stepID.rawValue
        return variables
    }

    private func tag(_ request: SandboxRequest) -> String { "AOS_STEP_ID=\(request.stepID.rawValue)" }

    // MARK: Without a sandbox

    private func bare(_ request: SandboxRequest) -> ProcessCommand {
        let dying = Files.exists(Self.setpriv) ? [Self.setpriv, "--pdeathsig", "KILL", "--"] : []
        var command = ProcessCommand(
            Self.prlimit, ["prlimit"] + Self.limits + ["--"] + dying + request.argv,
            environment: environment(request, home: request.workdir))
        command.directory = request.directory
        command.tag = tag(request)
        return command
    }

    // MARK: Bubblewrap

    private func bubblewrapped(_ request: SandboxRequest) -> ProcessCommand {
        let arguments =
            [
                "prlimit"
            ] + Self.limits + ["--", Self.bwrap, "--json-status-fd", "3", "--args", "4", "--"] + request.argv
        // The program's environment goes by descriptor 4: command lines are for all to see, and what the sandbox is
        // built with must not listen to variables of the plan.
        var command = ProcessCommand(Self.prlimit, arguments, environment: ["PATH": Self.path, "LANG": "C"])
        command.directory = "/"
        command.tag = tag(request)
        let options = self.options(request).flatMap { (option: String) -> [UInt8] in Array(option.utf8) + [0] }
        command.supervisor = ProcessCommand.Supervisor(input: options)
        return command
    }

    private func options(_ request: SandboxRequest) -> [String] {
        var options = [
            "--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL", "--die-with-parent",
            "--new-session", "--clearenv",
        ]
        if request.network { options.append("--share-net") }
        for (name, value) in environment(request, home: Self.home).sorted(by: { $0.key < $1.key }) {
            options += ["--setenv", name, value]
        }
        options += ["--ro-bind", "/usr", "/usr"] + layout.options
        for path in Self.etc + (request.network ? Self.etcNetwork : []) { options += ["--ro-bind-try", path, path] }
        options += ["--proc", "/proc", "--dev", "/dev"]
        for folder in ["/dev/shm", "/tmp", Self.home] {
            options += ["--size", String(Self.temporaryBytesMax), "--tmpfs", folder]
        }
        if request.workdir != "/usr" { options += ["--bind", request.workdir, request.workdir] }
        for path in hidden where path.hasPrefix(request.workdir + "/") && Files.exists(path) {
            options += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
        }
        return options + ["--remount-ro", "/", "--chdir", request.directory]
    }

    private static let etc = [
        "/etc/alternatives", "/etc/ssl", "/etc/ca-certificates", "/etc/passwd", "/etc/group", "/etc/ld.so.cache",
        "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/nsswitch.conf", "/etc/os-release",
    ]
    private static let etcNetwork = ["/etc/resolv.conf", "/etc/hosts", "/etc/services", "/etc/gai.conf"]
}

/// A program that shall run in the sandbox.
package struct SandboxRequest: Sendable {
    package var argv: [String]
    package var environment: [String: String]
    /// Absolute, without links; the only place on the disk that can be written.
    package var workdir: String
    package var directory: String
    package var network: Bool
    package var runID: RunID
    package var stepID: StepID
}

/// How `/bin` and the like hang together with `/usr` on this machine.
package struct SystemLayout: Sendable {
    package var options: [String]

    package static func read() -> SystemLayout {
        var options: [String] = []
        for name in ["bin", "sbin", "lib", "lib64", "lib32", "libx32"] {
            switch Files.status("/\(name)")?.kind {
            case .link: options += ["--symlink", "usr/\(name)", "/\(name)"]
            case .folder: options += ["--ro-bind", "/\(name)", "/\(name)"]
            case .file, .other, nil: break
            }
        }
        return SystemLayout(options: options)
    }
}
