/// `docs/reference/CLI.md`, made from the table of commands.
package struct ReferencePage: Sendable {
    private let commands: [Command]

    package init(_ commands: [Command]) { self.commands = commands }

    /// All but the title.
    package var text: String {
        var page = "| command | |\n|---|---|\n"
        for command in commands {
            page += "| [`aos \(command.name)`](#\(Self.anchor(command))) | \(command.summary) |\n"
        }
        page += "\n## Exit codes\n\n| code | |\n|---|---|\n"
        for code in ExitCode.allCases { page += "| \(code.rawValue) | \(code.meaning) |\n" }
        for topic in HelpTopic.allCases where topic != .exitCodes {
            let body = topic.text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
            page += "\n## \(topic.rawValue.prefix(1).uppercased() + topic.rawValue.dropFirst())\n\n```text\n"
            page += body.joined(separator: "\n").trimmingLineEnds + "\n```\n"
        }
        for command in commands {
            page += "\n## `aos \(command.name)`\n\n```text\n\(Help(commands).page(of: command).trimmingLineEnds)\n```\n"
        }
        return page
    }

    /// As the usual renderers of Markdown make it of the heading.
    private static func anchor(_ command: Command) -> String { "aos-" + command.name.replacing(" ", with: "-") }
}

extension String {
    fileprivate var trimmingLineEnds: String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        while text.first?.isNewline == true { text.removeFirst() }
        return String(text)
    }
}
