import Shared

/// `aos(1)` in the man macros, made from the table of commands.
package struct ManPage: Sendable {
    /// When the page got the form it has; what it says is of the release that prints it.
    private static let date = "2026-11-30"

    private let commands: [Command]

    package init(_ commands: [Command]) { self.commands = commands }

    package var text: String {
        var page = """
            .\\" Printed by `aos help --man`; do not edit.
            .TH AOS 1 \(Self.date) "AgentOS \(ReleaseVersion.text)" "AgentOS"
            .SH NAME
            aos \\- the operator's command line of AgentOS
            .SH SYNOPSIS
            .B aos
            .I COMMAND
            .RI [ ARGUMENT ...]
            .RI [ OPTION ...]
            .SH DESCRIPTION
            Starts, submits, watches, approves, halts, inspects, verifies: a thin client of the HTTP interface of
            .BR api (8).
            Options may stand anywhere on the line.
            .SH COMMANDS

            """
        for command in commands { page += section(command) }
        page += ".SH \"EXIT STATUS\"\n"
        for code in ExitCode.allCases {
            page += ".TP\n.B \(code.rawValue)\n\(Self.escaped(Self.capitalised(code.meaning))).\n"
        }
        for topic in HelpTopic.allCases where topic != .exitCodes {
            // What stands in columns keeps them.
            let body = topic.text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
            let lines = body.map { Self.escaped(String($0)) }
            page += ".SH \(topic.rawValue.uppercased())\n.nf\n\(Self.trimmed(lines).joined(separator: "\n"))\n.fi\n"
        }
        return page
    }

    private func section(_ command: Command) -> String {
        var text = ".SS \"aos \(command.name)\"\n\(Self.escaped(command.summary)).\n.PP\n"
        text += ".B \(Self.escaped(Help(commands).usage(command)))\n"
        for paragraph in command.details.split(separator: "\n\n") {
            text += ".PP\n\(Self.escaped(String(paragraph).replacing("\n", with: " ")))\n"
        }
        for argument in command.arguments {
            let choices = argument.choices.map { ": \($0.joined(separator: " or "))" } ?? ""
            text += ".TP\n.I \(argument.name)\n\(Self.escaped(Self.capitalised(argument.help + choices))).\n"
        }
        for option in command.options {
            let short = option.short.map { "\\-\($0), " } ?? ""
            text += ".TP\n.B \(short)\(Self.escaped(option.usage))\n\(Self.escaped(Self.capitalised(option.help))).\n"
        }
        for example in command.examples {
            text += ".TP\n.B \(Self.escaped(example.line))\n\(Self.escaped(Self.capitalised(example.what))).\n"
        }
        if !command.aliases.isEmpty {
            let names = command.aliases.map { "aos " + $0.joined(separator: " ") }.joined(separator: ", ")
            text += ".PP\nAlso: \(Self.escaped(names)).\n"
        }
        return text
    }

    private static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    private static func trimmed(_ lines: [String]) -> [String] {
        var lines = lines[...]
        while lines.last?.isEmpty == true { lines.removeLast() }
        while lines.first?.isEmpty == true { lines.removeFirst() }
        return Array(lines)
    }

    /// Text in which nothing is a request: backslashes, hyphens that are typed, a dot or quote at the start of a line.
    private static func escaped(_ text: String) -> String {
        let body = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("…", with: "...")
            .replacing("–", with: "\\-").replacing("^", with: "\\(ha").replacing("~", with: "\\(ti")
            .replacing("`", with: "\\(ga").replacing("'", with: "\\(aq")
        return body.hasPrefix(".") ? "\\&" + body : body
    }
}
