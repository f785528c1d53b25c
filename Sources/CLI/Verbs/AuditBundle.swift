import JSON
import Platform
import Shared

/// What others check history with: `aos audit export`, `aos audit key`.
enum AuditBundle {
    private static let folderName = "aos-audit"
    private static let tarPaths = ["/usr/bin/tar", "/bin/tar"]

    static let export = Command(
        "audit export", "A bundle of events that others can check without AgentOS",
        details: """
            Exact headers, payloads apart, proofs that tie every line to a signed state of the log, and two programs that check
            all of it: verify.sh (bash, openssl, jq) and verify.py. Whoever checks needs the public key as well, from another way
            than the bundle: `aos audit key`.
            """,
        options: [.run, .since, .until, .output],
        examples: [
            Example("aos audit export --run 01KQ -o run.tgz", "one run"),
            Example("aos audit export --since 2026-03-01T00:00:00Z -o march.tgz", "everything since"),
        ]
    ) { invocation, session in
        guard let output = invocation[.output], output != "-" else {
            throw Failure(.usage, "-o FILE is needed: the bundle is an archive, such as bundle.tgz")
        }
        var query: [(String, String)] = []
        if let run = invocation[.run] { query.append(("run_id", try session.runID(run).rawValue)) }
        if let since = invocation[.since] { query.append(("since", since)) }
        if let until = invocation[.until] { query.append(("until", until)) }
        guard !query.isEmpty else { throw Failure(.usage, "say what to export: --run ID, or --since TIME") }
        let bundle = try session.get(.auditExport, query: query, milliseconds: Session.auditMilliseconds)
        try write(bundle, to: output, session)
        session.console.print(
            Table.tabbed([output, "\(bundle.places.count) events", "\(bundle.erased) erased"]))
        session.advise("hand over the public key another way than the bundle: aos audit key")
        return .ok
    }

    static let key = Command(
        "audit key", "The public key that the log is signed with",
        details: """
            One line, `<name>+<id>+<base64>` as C2SP has it. Keep it where whoever may change bundles cannot change it. The private
            one is audit.key in the data directory, or the systemd credential of that name.
            """,
        options: [.json],
        examples: [
            Example("aos audit key > agentos.pub", "for those who check"),
            Example("aos audit key --json | jq -r .note", "the last signed state of the log"),
        ]
    ) { invocation, session in
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.checkpoint))
        } else {
            session.console.print(try session.get(.checkpoint).verifierKey)
        }
        return .ok
    }

    /// Each file of the bundle, and what is in it.
    private static func files(_ bundle: AuditExport) -> [(name: String, bytes: [UInt8])] {
        func lines(_ lines: [some CustomStringConvertible]) -> [UInt8] { lines.flatMap { Array("\($0)\n".utf8) } }
        return [
            ("README.md", PackageResources.README_md), ("verify.py", PackageResources.verify_py),
            ("verify.sh", PackageResources.verify_sh), ("checkpoint.txt", Array(bundle.checkpoint.utf8)),
            ("headers.jsonl", lines(bundle.headers)), ("manifest.txt", Array(bundle.manifest.utf8)),
            ("nodes.txt", lines(bundle.nodes)), ("payloads.txt", lines(bundle.payloads)),
            ("places.txt", lines(bundle.places)),
        ]
    }

    /// Writes the files beside the archive, has tar pack them, and takes them away again.
    private static func write(_ bundle: AuditExport, to output: String, _ session: Session) throws {
        guard let tar = tarPaths.first(where: { Files.exists($0) }) else {
            throw Failure(.failed, "the program tar is not installed", next: ["apt install tar"])
        }
        let parent = "\(output).\(Program.processID)"
        defer { try? Files.removeTree(parent) }
        try Files.makeFolder("\(parent)/\(folderName)")
        for file in files(bundle) {
            try Files.writeAtomically(file.bytes, to: "\(parent)/\(folderName)/\(file.name)", mode: 0o644)
        }
        let arguments = ["tar", "-C", parent, "-czf", output, "--owner=0", "--group=0", "--sort=name", folderName]
        let command = ProcessCommand(tar, arguments, environment: session.environment)
        let end = try session.runner.run(command, stop: StopSignal()) { _, bytes in
            for line in CleanText.lines(String(decoding: bytes, as: UTF8.self)) where !line.isEmpty {
                session.console.note(line)
            }
        }
        guard case .code(0) = end.exit else { throw Failure(.failed, "tar could not write \(output)") }
    }
}
