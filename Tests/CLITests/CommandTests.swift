import CLI
import Testing

private let parser = CommandLineParser(CommandTable.all)

private func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

private func invocation(_ line: String) throws -> Invocation {
    guard case .run(let invocation) = try parser.parse(words(line)) else {
        throw UsageError(what: "no command: \(line)")
    }
    return invocation
}

private func fault(_ line: String) -> UsageError? {
    do throws(UsageError) {
        _ = try parser.parse(words(line))
        return nil
    } catch { return error }
}

@Suite("The command line")
struct CommandLineTests {
    @Test(
        "finds its command, also by other words",
        arguments: [
            ("run list", "run list"), ("run ls", "run list"), ("approvals", "approvals"), ("approval ls", "approvals"),
            ("run show 01A", "run view"), ("kill on", "kill on"),
            ("projections rebuild --check", "projections rebuild"),
            ("events", "events"), ("run logs x", "logs"), ("run wait x", "wait"), ("say th_1 hello", "message post"),
            ("incidents", "incident list"), ("resume", "kill off"), ("whoami", "auth status"),
            ("engine rm e", "engine remove"),
        ])
    func finds(line: String, name: String) throws { #expect(try invocation(line).command.name == name) }

    @Test(
        "takes options anywhere and in every spelling",
        arguments: [
            "deny appr_1 -m no", "deny -m no appr_1", "-m no deny appr_1", "deny appr_1 --message no",
            "deny appr_1 --message=no", "deny -mno appr_1",
        ])
    func options(line: String) throws {
        let invocation = try invocation(line)
        #expect(invocation.command.name == "deny")
        #expect(invocation[Argument.approval] == "appr_1")
        #expect(invocation[Option.message] == "no")
    }

    @Test("a value may have any characters, and be empty of hyphens' meaning behind =")
    func values() throws {
        guard case .run(let invocation) = try parser.parse(["deny", "a", "--message=--all = x", "--json"]) else {
            return
        }
        #expect(invocation[Option.message] == "--all = x")
        #expect(invocation.has(.json))
    }

    @Test("behind -- there are no options")
    func afterDashes() throws {
        #expect(try invocation("room create -- --json")[Argument.roomTitle] == "--json")
        #expect(try invocation("run submit -")[Argument.plan] == "-")
    }

    @Test(
        "says what is wrong and what was probably meant",
        arguments: [
            ("rnu list", "aos run list"), ("aprove x", "aos approve"), ("run lsit", "aos run list"),
            ("list runs", "aos run list"), ("run list --statsu failed", "--status"),
            ("run list --status runing", "--status running"), ("run resolve tc_1 suceeded", "succeeded"),
            ("run watch x --until-wait", "--until-waiting"),
        ])
    func suggestions(line: String, suggestion: String) { #expect(fault(line)?.suggestion == suggestion) }

    @Test(
        "refuses what makes no sense",
        arguments: [
            "run", "run show", "run show a b", "completions tcsh", "run list --limit 0", "run list --limit x",
            "run list --limit",
            "run list --limit --json", "approve a -x", "kill maybe", "run list --follow", "run view --json",
            "deny a -m x -m y", "nonsense", "up --port 70000",
        ])
    func refusals(line: String) { #expect(fault(line) != nil) }

    @Test("a wrong line exits 2, says so on standard error and nothing on standard output")
    func usage() {
        let (exit, said) = aos(["run", "lsit"])
        #expect(exit == .usage)
        #expect(said.output.isEmpty)
        #expect(said.error.contains("try: aos run list"))
    }

    @Test("an option means the same in every command")
    func consistency() {
        var seen: [String: Option] = [:]
        for option in CommandTable.all.flatMap(\.allOptions) {
            #expect(seen[option.name] == nil || seen[option.name] == option)
            seen[option.name] = option
        }
        let shorts = Set(seen.values).compactMap(\.short)
        #expect(Set(shorts).count == shorts.count)
    }

    @Test("no two commands share a path")
    func paths() {
        let paths = CommandTable.all.flatMap { [$0.path] + $0.aliases }
        #expect(Set(paths).count == paths.count)
    }
}

@Suite("Help")
struct HelpTests {
    private static let help = Help(CommandTable.all)

    @Test("is complete for every command", arguments: CommandTable.all.map(\.name))
    func complete(name: String) throws {
        let command = try #require(CommandTable.all.first { $0.name == name })
        #expect(!command.summary.isEmpty && !command.summary.hasSuffix("."))
        #expect(!command.examples.isEmpty)
        let page = try #require(Self.help.page(command.path))
        for part in [Self.help.usage(command)] + command.examples.map(\.line) + command.allOptions.map(\.usage) {
            #expect(page.contains(part))
        }
        #expect(Self.help.page([])?.contains(command.path[0]) == true)
        let (exit, said) = aos(command.path + ["--help"])
        #expect(exit == .ok && said.output == page && said.error.isEmpty)
    }

    @Test("has examples that parse as the command they explain", arguments: CommandTable.all.map(\.name))
    func examples(name: String) throws {
        let command = try #require(CommandTable.all.first { $0.name == name })
        for example in command.examples {
            let line = try #require(ourPart(of: example.line), "\(example.line) calls aos")
            guard case .run(let invocation) = try parser.parse(line) else {
                Issue.record("\(example.line) runs nothing")
                continue
            }
            #expect(invocation.command.name == name)
        }
    }

    /// The words behind `aos`, up to what the shell would take, quotes removed.
    private func ourPart(of line: String) -> [String]? {
        var (found, word, quote): ([String], String?, Bool) = ([], nil, false)
        for character in line + " " {
            switch character {
            case "'": (quote, word) = (!quote, word ?? "")
            case " " where !quote:
                if let word { found.append(word) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        guard let start = found.firstIndex(of: "aos") else { return nil }
        return Array(found[start...].dropFirst().prefix { !["|", "||", "&&", ">", ";"].contains($0) })
    }

    @Test("knows its topics", arguments: HelpTopic.allCases)
    func topics(topic: HelpTopic) {
        let (exit, said) = aos(["help", topic.rawValue])
        #expect(exit == .ok)
        #expect(said.output == topic.text)
    }

    @Test("names every exit code")
    func exitCodes() {
        #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 70, 78])
        for code in ExitCode.allCases { #expect(HelpTopic.exitCodes.text.contains(code.meaning)) }
    }

    @Test("of something unknown exits 2 and names the nearest page")
    func unknown() {
        let (exit, said) = aos(["help", "exit-code"])
        #expect(exit == .usage)
        #expect(said.error.contains("aos help exit-codes"))
    }
}
