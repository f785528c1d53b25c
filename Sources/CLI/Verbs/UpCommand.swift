import Shared

enum UpCommand {
    static let all: [Command] = [up]

    static let up = Command(
        "up", "Start the api and an engine, here, and look after them until Ctrl-C",
        details: """
            For a laptop; on a server use the systemd units or compose. The first line is a link that signs your browser
            in, once; on a desktop it is opened. Both programs get this environment; on a terminal
            they say only what is wrong (AOS_LOG_LEVEL=info says more), on standard error. DESKTOP_RUNNER_MODE=external
            starts the api alone, for engines that somebody else runs.

            A program that dies is started again after a pause that doubles from 0.2 s to 10 s; more than 5 restarts within
            60 s, and wrong settings at once, end everything: the exit code is that of the program. How it stands is in
            `aos status` and in POST /v1/system/health. Ctrl-C lets running calls finish (ENGINE_GRACE_MS), stops the
            engine, then the api.

            --demo also runs a small plan in a folder of its own: real work that stops where it wants to send something
            away, and waits for your approval. The receiver is this program; nothing leaves the machine.
            """,
        options: [.port, .demo],
        examples: [
            Example("aos up", "on port 7717, data in ~/.local/share/aos"),
            Example("aos up --demo", "with a run that ends at a real approval"),
            Example("AOS_DATA_DIR=/tmp/trial aos up --port 0", "a trial that touches nothing"),
        ]
    ) { invocation, session in
        try Supervisor(session, port: invocation.integer(.port), isDemo: invocation.has(.demo)).run()
    }
}
