import Shared

enum CompletionCommands {
    static let all: [Command] = [completions, ids]

    /// A key press waits for this.
    private static let idMilliseconds = 700
    private static let idsMax = 100

    static let completions = Command(
        "completions", "What a shell needs to complete commands, options and ids",
        details: """
            bash: aos completions bash > ~/.local/share/bash-completion/completions/aos
            zsh: aos completions zsh > "${fpath[1]}/_aos"
            fish: aos completions fish > ~/.config/fish/completions/aos.fish
            """,
        arguments: [.shell],
        examples: [Example("aos completions zsh > ~/.zfunc/_aos", "for a zsh that has ~/.zfunc in its fpath")]
    ) { invocation, session in
        guard let shell = Completions.Shell(rawValue: invocation[.shell]) else {
            preconditionFailure("the parser lets no other word through")
        }
        session.console.write(Array(Completions(CommandTable.all).script(for: shell).utf8))
        return .ok
    }

    static let ids = Command(
        "completions ids", "The ids of one kind, quickly and quietly: what completions ask for",
        details: """
            One per line, a tab and a few words behind it; the latest 100. Nothing, and exit 0, when the api does not answer
            within 0.7 s.
            """,
        arguments: [.thingKind],
        examples: [Example("aos completions ids run", "the latest runs")]
    ) { invocation, session in
        guard let kind = ThingKind(rawValue: invocation[.thingKind]) else {
            preconditionFailure("the parser lets no other word through")
        }
        session.limitCalls(milliseconds: idMilliseconds)
        // Whoever presses a key wants ids or nothing.
        guard let page = try? kind.page(nil, session) else { return .ok }
        for row in page.rows.prefix(idsMax) { session.console.print(Table.tabbed([row.id, row.about])) }
        return .ok
    }
}
