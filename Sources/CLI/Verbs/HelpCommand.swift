enum HelpCommand {
    static let all: [Command] = [help]

    static let help = Command(
        "help", "What a command does, or a topic", arguments: [.topic, .topicVerb], options: [.man],
        examples: [
            Example("aos help run watch", "the same as aos run watch --help"),
            Example("aos help exit-codes", "what the exit codes mean"),
            Example("aos help --man > aos.1; man -l aos.1", "all of it as a man page"),
        ]
    ) { invocation, session in
        if invocation.has(.man) {
            session.console.write(Array(ManPage(CommandTable.all).text.utf8))
            return .ok
        }
        let words = [Argument.topic, .topicVerb].compactMap { invocation.optional($0) }
        return try show(words, session)
    }

    static func show(_ words: [String], _ session: Session) throws -> ExitCode {
        let help = Help(CommandTable.all)
        guard let page = help.page(words) else {
            let topic = words.joined(separator: " ")
            let near = Nearest.to(topic, among: help.names)
            throw Failure(.usage, "there is no help on '\(topic)'", next: [near.map { "aos help \($0)" } ?? "aos help"])
        }
        session.console.write(Array(page.utf8))
        return .ok
    }
}
