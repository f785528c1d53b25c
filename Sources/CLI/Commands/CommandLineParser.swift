/// A command line that is wrong: what, what was probably meant, and where to read on.
package struct UsageError: Error, Hashable {
    package var what: String
    package var suggestion: String?
    /// The words of the command whose help would tell.
    package var topic: [String] = []

    package init(what: String, suggestion: String? = nil, topic: [String] = []) {
        (self.what, self.suggestion, self.topic) = (what, suggestion, topic)
    }
}

/// What the words ask for.
package enum Request: Sendable {
    case run(Invocation)
    case help([String])
    case version
}

/// Reads a command line by the table of commands.
package struct CommandLineParser: Sendable {
    private let commands: [Command]

    package init(_ commands: [Command]) { self.commands = commands }

    package func parse(_ words: [String]) throws(UsageError) -> Request {
        let tokens = try Tokens(words, options: knownOptions)
        if tokens.has(.version), tokens.words.isEmpty { return .version }
        guard !tokens.words.isEmpty else { return .help([]) }
        guard let (command, length) = find(tokens.words) else {
            if tokens.has(.help), isNoun(tokens.words[0]) { return .help([tokens.words[0]]) }
            throw unknown(tokens.words)
        }
        if tokens.has(.help) { return .help(command.path) }
        var words = Array(tokens.words[length...])
        var options = tokens.options
        // A word behind `--json` is its value where the command has no other use for it.
        for (option, index) in tokens.followed where words.count + tokens.rest.count > command.arguments.count {
            guard words.indices.contains(index - length) else { continue }
            options[option].1 = words.remove(at: index - length)
        }
        return .run(try invocation(command, words + tokens.rest, options))
    }

    /// The command whose path the words begin with, the longest first, and how many words that takes.
    package func find(_ words: [String]) -> (Command, Int)? {
        for length in [2, 1] where words.count >= length {
            let head = Array(words[..<length])
            if let command = commands.first(where: { $0.path == head || $0.aliases.contains(head) }) {
                return (command, length)
            }
        }
        return nil
    }

    package func isNoun(_ word: String) -> Bool { commands.contains { $0.path.count == 2 && $0.path[0] == word } }

    // MARK: Words

    private var knownOptions: [Option] {
        commands.reduce(into: Option.everywhere + [.version]) { known, command in
            for option in command.options where !known.contains(option) { known.append(option) }
        }
    }

    private func unknown(_ words: [String]) -> UsageError {
        let first = words[0]
        guard isNoun(first) else {
            if words.count > 1 {
                // `aos list runs` for `aos run list`.
                let nouns = [words[1], String(words[1].dropLast())]
                if let noun = nouns.first(where: { find([$0, first]) != nil }) {
                    return UsageError(
                        what: "unknown command '\(first) \(words[1])'", suggestion: "aos \(noun) \(first)")
                }
            }
            let near = Nearest.to(first, among: Set(commands.flatMap { [$0.path[0]] + $0.aliases.map { $0[0] } }))
            let meant = near.map { near in
                let verb = words.count > 1 && find([near, words[1]])?.1 == 2 ? " \(words[1])" : ""
                return "aos \(near)\(verb)"
            }
            return UsageError(what: "unknown command '\(first)'", suggestion: meant)
        }
        let verbs = commands.filter { $0.path[0] == first && $0.path.count == 2 }.map { $0.path[1] }
        guard words.count > 1 else {
            return UsageError(
                what: "'\(first)' needs a verb: \(verbs.joined(separator: ", "))", topic: [first])
        }
        let near = Nearest.to(words[1], among: verbs)
        return UsageError(
            what: "'\(first)' has no verb '\(words[1])', only \(verbs.joined(separator: ", "))",
            suggestion: near.map { "aos \(first) \($0)" }, topic: [first])
    }

    // MARK: One command

    private func invocation(
        _ command: Command, _ words: [String], _ options: [(Option, String)]
    ) throws(UsageError) -> Invocation {
        var invocation = Invocation(command: command)
        for (option, value) in options {
            guard command.allOptions.contains(option) else {
                throw UsageError(
                    what: "'\(command.name)' has no option --\(option.name)",
                    suggestion: Nearest.to(option.name, among: command.allOptions.map(\.name)).map { "--\($0)" },
                    topic: command.path)
            }
            guard invocation.options[option] == nil || option.value == .none else {
                throw UsageError(what: "--\(option.name) is given twice", topic: command.path)
            }
            try check(value, of: option, command)
            invocation.options[option] = value
        }
        guard words.count <= command.arguments.count else {
            throw UsageError(
                what: "'\(command.name)' does not know what to do with '\(words[command.arguments.count])'",
                topic: command.path)
        }
        for (index, argument) in command.arguments.enumerated() {
            guard index < words.count else {
                if argument.isOptional { continue }
                throw UsageError(
                    what: "'\(command.name)' needs \(argument.name): \(argument.help)", topic: command.path)
            }
            if let choices = argument.choices, !choices.contains(words[index]) {
                throw UsageError(
                    what: "\(argument.name) is one of \(choices.joined(separator: ", ")), not '\(words[index])'",
                    suggestion: Nearest.to(words[index], among: choices), topic: command.path)
            }
            guard !words[index].isEmpty else {
                throw UsageError(what: "\(argument.name) is empty", topic: command.path)
            }
            invocation.arguments[argument] = words[index]
        }
        return invocation
    }

    private func check(_ value: String, of option: Option, _ command: Command) throws(UsageError) {
        switch option.value {
        case .none, .optional: break
        case .text:
            if value.isEmpty { throw UsageError(what: "--\(option.name) is empty", topic: command.path) }
        case .integer(_, let range):
            guard let number = Int(value), range.contains(number) else {
                throw UsageError(
                    what:
                        "--\(option.name) is a whole number from \(range.lowerBound) to \(range.upperBound), not '\(value)'",
                    topic: command.path)
            }
        case .choice(let words):
            guard words.contains(value) else {
                throw UsageError(
                    what: "--\(option.name) is one of \(words.joined(separator: ", ")), not '\(value)'",
                    suggestion: Nearest.to(value, among: words).map { "--\(option.name) \($0)" }, topic: command.path)
            }
        }
    }
}

/// A command line taken apart: words, options with their values, and what stands behind `--`.
private struct Tokens {
    var words: [String] = []
    var options: [(Option, String)] = []
    var rest: [String] = []
    /// Options that may have the word behind them as their value, and which word that is.
    var followed: [(option: Int, word: Int)] = []

    func has(_ option: Option) -> Bool { options.contains { $0.0 == option } }

    init(_ line: [String], options known: [Option]) throws(UsageError) {
        var index = 0
        func next(for option: Option) throws(UsageError) -> String {
            index += 1
            guard index < line.count, !line[index].hasPrefix("--") else {
                throw UsageError(what: "--\(option.name) needs a value: \(option.usage)")
            }
            return line[index]
        }
        while index < line.count {
            let word = line[index]
            if word == "--" {
                rest = Array(line[(index + 1)...])
                return
            }
            if word.hasPrefix("--") {
                let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(parts[0])
                guard let option = known.first(where: { $0.name == name }) else {
                    throw UsageError(
                        what: "unknown option --\(name)",
                        suggestion: Nearest.to(name, among: known.map(\.name)).map { "--\($0)" }, topic: words)
                }
                if option.value == .none {
                    guard parts.count == 1 else { throw UsageError(what: "--\(name) takes no value") }
                    options.append((option, ""))
                } else if case .optional = option.value {
                    let isFollowed = index + 1 < line.count && !line[index + 1].hasPrefix("-")
                    if parts.count == 1, isFollowed { followed.append((options.count, words.count)) }
                    options.append((option, parts.count == 2 ? String(parts[1]) : ""))
                } else {
                    options.append((option, parts.count == 2 ? String(parts[1]) : try next(for: option)))
                }
            } else if word.hasPrefix("-"), word.utf8.count > 1 {
                var letters = word.dropFirst()
                while let letter = letters.popFirst() {
                    guard let option = known.first(where: { $0.short == letter }) else {
                        throw UsageError(what: "unknown option -\(letter)", topic: words)
                    }
                    if option.value == .none {
                        options.append((option, ""))
                        continue
                    }
                    options.append((option, letters.isEmpty ? try next(for: option) : String(letters)))
                    break
                }
            } else {
                words.append(word)
            }
            index += 1
        }
    }
}
