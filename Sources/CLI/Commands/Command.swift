/// One command, declared: parsing, help and the lists in the documentation are made from this and from nothing else.
package struct Command: Sendable {
    /// Noun and verb, or one word.
    package var path: [String]
    /// Other words for the same command.
    package var aliases: [[String]] = []
    /// One line, without a full stop.
    package var summary: String
    /// What else is worth knowing; paragraphs.
    package var details = ""
    package var arguments: [Argument] = []
    package var options: [Option] = []
    package var examples: [Example]
    package var run: @Sendable (Invocation, Session) throws -> ExitCode

    package init(
        _ path: String, _ summary: String, details: String = "", aliases: [String] = [], arguments: [Argument] = [],
        options: [Option] = [], examples: [Example],
        run: @escaping @Sendable (Invocation, Session) throws -> ExitCode
    ) {
        self.path = path.split(separator: " ").map(String.init)
        self.aliases = aliases.map { $0.split(separator: " ").map(String.init) }
        (self.summary, self.details, self.arguments, self.options) = (summary, details, arguments, options)
        (self.examples, self.run) = (examples, run)
    }

    package var name: String { path.joined(separator: " ") }
    /// The options that may stand with it, with those that stand everywhere.
    package var allOptions: [Option] { options + Option.everywhere }
}

/// A word that stands after the command.
package struct Argument: Hashable, Sendable {
    package var name: String
    package var help: String
    package var isOptional = false
    /// The words it may be; nil for any.
    package var choices: [String]?

    package init(_ name: String, _ help: String, isOptional: Bool = false, choices: [String]? = nil) {
        (self.name, self.help, self.isOptional, self.choices) = (name, help, isOptional, choices)
    }
}

/// A word that begins with a hyphen, anywhere on the line. One long name means the same in every command.
package struct Option: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case none
        /// One that may be left out: `--json`, `--json a,b`.
        case optional(String)
        case text(String)
        case integer(String, ClosedRange<Int>)
        case choice([String])
    }

    /// Without the hyphens.
    package var name: String
    package var short: Character?
    package var value: Value
    package var help: String

    package init(_ name: String, short: Character? = nil, _ value: Value, _ help: String) {
        (self.name, self.short, self.value, self.help) = (name, short, value, help)
    }

    /// One that takes no value.
    package init(_ name: String, short: Character? = nil, _ help: String) {
        self.init(name, short: short, .none, help)
    }

    /// How it stands in a usage line.
    package var usage: String {
        switch value {
        case .none: "--\(name)"
        case .optional(let value): "--\(name) [\(value)]"
        case .text(let name), .integer(let name, _): "--\(self.name) \(name)"
        case .choice(let words): "--\(name) \(words.joined(separator: "|"))"
        }
    }
}

/// A line that a reader may copy.
package struct Example: Hashable, Sendable {
    package var line: String
    package var what: String

    package init(_ line: String, _ what: String) { (self.line, self.what) = (line, what) }
}

/// How a command ends; the numbers are a promise.
package enum ExitCode: Int32, CaseIterable, Sendable {
    case ok = 0
    case failed = 1
    case usage = 2
    case denied = 3
    case authentication = 4
    case internalFailure = 70
    case configuration = 78

    package var meaning: String {
        switch self {
        case .ok: "done; a watched run has succeeded"
        case .failed: "the command failed, or the watched run failed or was cancelled"
        case .usage: "the command line is wrong, or the view was left with Ctrl-C"
        case .denied: "policy said no, or a run waits for a person to decide"
        case .authentication: "the api does not know the caller: see `aos help environment`"
        case .internalFailure: "a defect, or the storage failed"
        case .configuration: "an environment variable or its file is wrong"
        }
    }
}

/// A command line that was understood.
package struct Invocation: Sendable {
    package var command: Command
    package var arguments: [Argument: String] = [:]
    package var options: [Option: String] = [:]

    /// What stands for an argument that must be there.
    package subscript(_ argument: Argument) -> String {
        guard let value = arguments[argument] else { preconditionFailure("\(command.name) has no \(argument.name)") }
        return value
    }

    package func optional(_ argument: Argument) -> String? { arguments[argument] }
    package subscript(_ option: Option) -> String? { options[option] }
    package func has(_ option: Option) -> Bool { options[option] != nil }

    /// The names in a list that is separated by commas; empty where the option stands alone.
    package func names(_ option: Option) -> [String] {
        (options[option] ?? "").split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
    }

    /// The number that was given, within its range.
    package func integer(_ option: Option) -> Int? { options[option].flatMap { Int($0) } }
}
