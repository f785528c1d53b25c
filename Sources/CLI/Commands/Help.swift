/// Everything that `aos help` says, made from the table of commands.
package struct Help: Sendable {
    private let commands: [Command]

    package init(_ commands: [Command]) { self.commands = commands }

    /// The page for these words; nil when there is none.
    package func page(_ words: [String]) -> String? {
        if words.isEmpty { return overview }
        let parser = CommandLineParser(commands)
        if let (command, length) = parser.find(words), length == words.count { return page(of: command) }
        if words.count == 1, parser.isNoun(words[0]) { return page(noun: words[0]) }
        return words.count == 1 ? HelpTopic(rawValue: words[0])?.text : nil
    }

    /// All words that have a page.
    package var names: [String] {
        Array(Set(commands.map(\.name) + commands.map { $0.path[0] })).sorted() + HelpTopic.allCases.map(\.rawValue)
    }

    package func page(of command: Command) -> String {
        var blocks = ["\(command.summary).", "usage: \(usage(command))"]
        if !command.details.isEmpty { blocks.append(command.details) }
        if !command.arguments.isEmpty {
            blocks.append(
                Self.list(
                    "arguments",
                    command.arguments.map { argument in
                        (
                            argument.name,
                            argument.help + (argument.choices.map { ": \($0.joined(separator: " or "))" } ?? "")
                        )
                    }))
        }
        blocks.append(
            Self.list(
                "options",
                command.allOptions.map { option in
                    ((option.short.map { "-\($0), " } ?? "    ") + option.usage, option.help)
                }))
        blocks.append(
            "examples:\n" + command.examples.map { "  \($0.line)\n      \($0.what)" }.joined(separator: "\n"))
        if !command.aliases.isEmpty {
            blocks.append("also: " + command.aliases.map { "aos " + $0.joined(separator: " ") }.joined(separator: ", "))
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// More words than these make a line that nobody reads.
    private static let choicesShownMax = 4

    private static func shown(_ argument: Argument) -> String {
        let choices = argument.choices.flatMap { $0.count > choicesShownMax ? nil : $0.joined(separator: "|") }
        let name = choices ?? argument.name
        return argument.isOptional ? "[\(name)]" : name
    }

    package func usage(_ command: Command) -> String {
        let arguments = command.arguments.map(Self.shown)
        return (["aos"] + command.path + arguments + command.options.map { "[\($0.usage)]" }).joined(separator: " ")
    }

    private func page(noun: String) -> String {
        let verbs = commands.filter { $0.path[0] == noun }
        return Self.list("aos \(noun)", verbs.map { (short($0), $0.summary) })
            + "\n\n`aos \(noun) VERB --help` says more.\n"
    }

    private var overview: String {
        let groups: [(String, [String])] = [
            ("start here", ["up", "ui", "status", "doctor"]),
            ("work", ["run", "ps", "logs", "wait", "step", "call", "artifact", "pipeline"]),
            ("control", ["approvals", "approval", "approve", "deny", "kill"]),
            ("people", ["room", "thread", "message", "search"]),
            ("history", ["events", "why", "inspect", "export", "verify", "audit", "redact"]),
            ("upkeep", ["backup", "restore", "projections", "migrate"]),
            ("learning", ["incident", "lesson", "scorecard", "experiment", "constraint"]),
            ("set-up", ["engine", "auth", "config", "completions", "help"]),
        ]
        // What nobody has put into a group is shown all the same.
        let grouped = Set(groups.flatMap(\.1))
        let rest = commands.map { $0.path[0] }.filter { !grouped.contains($0) }
        let others = rest.enumerated().filter { rest.firstIndex(of: $1) == $0 }.map(\.element)
        let listed = (groups + (others.isEmpty ? [] : [("more", others)])).map { title, nouns in
            Self.list(
                title,
                nouns.flatMap { noun in
                    commands.filter { $0.path[0] == noun }.map { (short($0), $0.summary) }
                })
        }
        return
            (["aos: the operator's command line of AgentOS"] + listed
            + [
                "Topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")) (`aos help exit-codes`)."
                    + " Every command has --help with an example."
            ]).joined(separator: "\n\n") + "\n"
    }

    private func short(_ command: Command) -> String {
        (command.path + command.arguments.map(Self.shown)).joined(separator: " ")
    }

    static func list(_ title: String, _ rows: [(String, String)]) -> String {
        let width = min(34, rows.map(\.0.count).max() ?? 0)
        return "\(title):\n"
            + rows.map { name, help in
                let gap =
                    name.count <= width
                    ? String(repeating: " ", count: width - name.count) : "\n  " + String(repeating: " ", count: width)
                return "  \(name)\(gap)  \(help)"
            }.joined(separator: "\n")
    }
}

/// Pages that belong to no command.
package enum HelpTopic: String, CaseIterable, Sendable {
    case exitCodes = "exit-codes"
    case environment, formatting

    package var text: String {
        switch self {
        case .exitCodes:
            Help.list("exit codes", ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) })
                + "\n\nThey are the same for every command and do not change.\n"
        case .environment:
            """
            environment:
              AOS_API_URL     where the api is; default: the one that `aos up` looks after for the data directory, else
                              \(Connection.urlDefault)
              AOS_TOKEN       the operator's token; default: the file operator.token in the data directory
              AOS_DATA_DIR    the data directory; default $STATE_DIRECTORY, else $XDG_DATA_HOME/aos,
                              else ~/.local/share/aos
              AOS_ENV_FILE    a file of NAME=value lines; what it names replaces the environment
              DESKTOP_RUNNER_MODE
                              aos up: embedded (api and engine, the default) or external (the api alone)
              NO_COLOR        set to anything: no colour
              LC_ALL, LC_CTYPE, LANG
                              a UTF-8 locale allows icons; TERM=dumb means no colour

            An AOS_ or ENGINE_ name that nobody knows is an error (exit 78), so that a slip does not pass unseen.
            `aos up` hands its environment on to the api and the engine it starts.

            """
        case .formatting:
            """
            formatting:
              On a terminal  aligned tables with a head line, colour, relative times, long text cut to the width.
              In a pipe      one line per row, columns separated by tabs, no head line, no colour, nothing cut, times
                             as RFC 3339 in UTC. In a column a tab is \\t, a line end \\n and a backslash \\\\.
              --json         the API's own answer, byte for byte in a pipe, indented on a terminal.
              --json a,b.c   only these members of the thing, or of each thing of a list: an object, or an array of
                             objects, whose members are named as asked for. Through a list, b.c is the list of all c.
                             A name that is not there lists those that are (exit 2). As the last word on the line, or
                             as --json=a,b.c anywhere.

            Data goes to standard output, everything else to standard error. Nothing asks a question but
            `aos redact`, and only on a terminal.
            Text that agents and tools have made is shown without control characters, escape sequences and characters
            that reorder or hide text; --json and `aos artifact get -o` give the original.

            Wherever an id is asked for, enough of it will do: its beginning, with or without the part up to `_`, or its
            last characters (at least 4). When several things match, they are listed and the exit code is 2.

            """
        }
    }
}
