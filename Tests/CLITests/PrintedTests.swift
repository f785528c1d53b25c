import CLI
import JSON
import Platform
import Shared
import Testing

/// What is printed from the table of commands for others to read: shells, man.
@Suite("Printed from the table")
struct PrintedTests {
    /// Runs a program that reads a text; nil where it is not installed.
    private func check(_ program: String, _ arguments: [String], reading text: String) throws -> (
        exit: ProcessEnd.Exit, said: String
    )? {
        guard Files.exists(program) else { return nil }
        var command = ProcessCommand(
            program, [program] + arguments, environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"])
        command.standardInput = Array(text.utf8)
        command.timeoutMilliseconds = 20_000
        var said: [UInt8] = []
        let end = try SystemProcesses().run(command, stop: StopSignal()) { _, bytes in said += bytes }
        return (end.exit, String(decoding: said, as: UTF8.self))
    }

    private static let shells: [(Completions.Shell, String)] = [
        (.bash, "/bin/bash"), (.zsh, "/usr/bin/zsh"), (.fish, "/usr/bin/fish"),
    ]

    @Test("completions are read by their shell without a complaint", arguments: Completions.Shell.allCases)
    func syntax(shell: Completions.Shell) throws {
        let script = Completions(CommandTable.all).script(for: shell)
        let path = try #require(Self.shells.first { $0.0 == shell }?.1)
        if let found = try check(path, ["-n"], reading: script) {
            #expect(found.exit == .code(0) && found.said.isEmpty, "\(found.said)")
        }
        for command in CommandTable.all { #expect(script.contains(command.path.last!), "\(command.name)") }
    }

    /// What bash offers for a line whose last word is being typed.
    private func offers(_ words: [String]) throws -> [String] {
        let script = """
            aos() { [[ $1 == completions && $2 == ids ]] && printf 'id-of-%s\\tabout it\\n' "$3"; }
            \(Completions(CommandTable.all).script(for: .bash))
            COMP_WORDS=(\((["aos"] + words).map { "'\($0)'" }.joined(separator: " ")))
            COMP_CWORD=\(words.count)
            _aos
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let found = try #require(try check("/bin/bash", ["--norc", "-s"], reading: script))
        return found.said.split(separator: "\n").map(String.init)
    }

    @Test(
        "bash offers commands, verbs, options, their values, and ids",
        arguments: [
            (["appro"], ["approval", "approvals", "approve"]), (["run", "l"], ["list", "logs", "ls"]),
            (["run", "list", "--st"], ["--status"]), (["run", "list", "--status", "f"], ["failed"]),
            (["run", "view", ""], ["id-of-run"]), (["approve", "--message", "why not", ""], ["id-of-approval"]),
            (["events", "--run", ""], ["id-of-run"]), (["completions", "b"], ["bash"]),
            (["run", "resolve", "tc_1", "s"], ["succeeded"]), (["run", "view", "x", ""], []),
            (["--workspace", "ws", "thread", "list", ""], ["id-of-room"]),
        ])
    func bash(words: [String], offered: [String]) throws { #expect(try offers(words).sorted() == offered) }

    @Test(
        "fish offers the same, where it is installed",
        arguments: [
            ("aos ki", "kill"), ("aos run v", "view"), ("aos run list --st", "--status"),
            ("aos run list --status f", "failed"),
            ("aos run view ", "id-of-run"), ("aos -m x approve ", "id-of-approval"), ("aos completions b", "bash"),
        ])
    func fish(line: String, offered: String) throws {
        let script = """
            function aos; test "$argv[1..2]" = 'completions ids'; and printf 'id-of-%s\\tabout it\\n' $argv[3]; end
            \(Completions(CommandTable.all).script(for: .fish))
            complete -C '\(line)'
            """
        guard let found = try check("/usr/bin/fish", ["--no-config"], reading: script) else { return }
        let words = found.said.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
        #expect(words.contains(offered[...]) && !found.said.contains("line "), "\(found.said)")
    }

    @Test("the man page is whole, and roff has nothing to complain about")
    func man() throws {
        let page = ManPage(CommandTable.all).text
        for command in CommandTable.all { #expect(page.contains(".SS \"aos \(command.name)\"")) }
        for (program, arguments) in [
            ("/usr/bin/groff", ["-ww", "-man", "-Tutf8", "-z"]), ("/usr/bin/mandoc", ["-T", "lint", "-W", "warning"]),
        ] {
            guard let found = try check(program, arguments, reading: page) else { continue }
            #expect(found.exit == .code(0) && found.said.isEmpty, "\(program): \(found.said.prefix(2000))")
        }
        #expect(aos(["help", "--man"]).said.output == page)
    }

    @Test("ids for completions are quiet and quick, whatever happens")
    func ids() {
        let (exit, said) = aos(["completions", "ids", "run"])
        #expect(exit == .ok && said.output.isEmpty && said.error.isEmpty)
        let api = FakeAPI { _, _ in .json(200, ["runs": [Samples.json(Samples.run())], "next_cursor": nil]) }
        #expect(aos(["completions", "ids", "run"], api).said.output == "\(Samples.runID)\trunning  site check\n")
    }
}
