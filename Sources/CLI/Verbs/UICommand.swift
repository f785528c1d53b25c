import APIClient
import JSON
import Platform
import Shared

/// The way into the web UI: a link that signs one browser in.
enum UICommand {
    static let all: [Command] = [ui]

    /// What opens an address in the person's own browser.
    private static let opener = "/usr/bin/xdg-open"

    static let ui = Command(
        "ui", "Open the web UI: makes a link that signs one browser in, once",
        details: """
            The link is good for ten minutes and for one browser; what it opens is a session of yours until you sign out, or do
            not use it for a week. On a desktop it is opened, elsewhere printed. From another machine: first forward the port
            (ssh -L 7717:127.0.0.1:7717 HOST), then open the printed link there.
            """,
        options: [.readOnly, .printLink, .json],
        examples: [
            Example("aos ui", "open it here"),
            Example("aos ui --print", "only print the link"),
            Example("aos ui --read-only --print", "a link for somebody who may look and not touch"),
        ]
    ) { invocation, session in
        let link = try session.call(
            .createLoginLink, CreateLoginLink(readOnly: invocation.has(.readOnly) ? true : nil))
        if invocation.has(.json) {
            try session.printJSON(invocation, link)
        } else if invocation.has(.printLink) || !isDesktop(session) || !open(link.url, session) {
            session.console.print(link.url)
            session.advise("good once, until \(link.expiresAt)")
        } else {
            session.advise("opened in your browser; `aos ui --print` prints a link instead")
        }
        return .ok
    }

    /// Whether a browser could show itself to whoever asks.
    static func isDesktop(_ session: Session) -> Bool {
        guard session.console.output.isTerminal, Files.exists(opener) else { return false }
        return ["DISPLAY", "WAYLAND_DISPLAY"].contains { !(session.environment[$0] ?? "").isEmpty }
    }

    /// Whether the browser was told. The link is in its arguments for a moment, where only this user and root can read it
    /// before it is used.
    static func open(_ url: String, _ session: Session) -> Bool {
        let command = ProcessCommand(opener, ["xdg-open", url], environment: session.environment)
        let end = try? session.runner.run(command, stop: StopSignal()) { _, _ in }
        return end?.exit == .code(0)
    }
}
