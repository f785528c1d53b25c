import APIClient
import HTTP
import HTTPServer
import JSON
import Platform
import Shared
import Synchronization

/// A plan that really works in a folder of its own and ends at a real approval: its last step would hand a report to a
/// receiver, which listens on this machine and is part of this program, so that nothing leaves it.
final class Demonstration: Sendable {
    private static let orders = """
        order,amount
        1001,120
        1002,80
        1003,310
        1004,45

        """

    /// An approval's id with what stands before it.
    private static let commandColumns = 50

    private let console: Console
    private let folder: String
    private let receiver: DemonstrationReceiver
    private let server: HTTPServer
    private let interruption = Interruption()
    private let thread = Mutex<Thread?>(nil)
    /// Where the report would go: what `EGRESS_ALLOW` has to name.
    let receiverAddress: String

    init(_ console: Console) throws {
        self.console = console
        let name = SystemEntropy().bytes(4).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        folder = "/tmp/aos-demo-\(name)"
        try Files.makeFolder(folder)
        try Files.writeAtomically(Array(Self.orders.utf8), to: "\(folder)/orders.csv")
        receiver = DemonstrationReceiver(folder)
        server = HTTPServer(handler: receiver)
        guard let loopback = SocketAddress(numeric: "127.0.0.1", port: 0) else {
            preconditionFailure("127.0.0.1 is an address")
        }
        receiverAddress = "\(try server.start(at: loopback))"
    }

    /// Submits the plan and stays with it, on a thread of its own.
    func begin(_ connection: Connection, _ environment: [String: String], prefix: String) {
        var environment = environment
        environment["AOS_API_URL"] = connection.url
        thread.withLock {
            $0 = Thread.start("demo") { [self, environment] in
                do { try play(Session(console: console, environment: environment), prefix) } catch {
                    // The end of everything is no failure of the demonstration.
                    guard !interruption.isInterrupted else { return }
                    console.note("aos up: the demonstration: \((error as? Failure)?.what ?? "\(error)")")
                }
            }
        }
    }

    func stop() {
        interruption.interrupt()
        thread.withLock { $0 }?.join()
        server.drain(graceMilliseconds: 0)
        server.waitUntilStopped()
    }

    private func play(_ session: Session, _ prefix: String) throws {
        let room = try session.mainRoom()
        let body = CreateRun(
            roomID: room, title: "Demonstration: a report that wants to leave",
            goal: "Add up the orders and send a report",
            input: ["plan": plan])
        let run = try session.get(.run, ["run_id": try session.call(.createRun, body).runID.rawValue]).run
        say("", "A demonstration runs in \(folder):", "")
        var view = RunView(session, run, .timeline, screen: console.output) { [console] in console.print($0) }
        var exit = try view.follow(untilWaiting: true, interruption)
        guard !interruption.isInterrupted else { return }
        guard exit == .denied, let approval = try pending(of: run, session) else {
            say(
                "", "It did not come to its approval. What is in the way:", "",
                command("doctor", "each with its cure", prefix))
            return console.flush()
        }
        say(
            "", "The report is written; sending it is an external write, so it waits for you. (The receiver is this",
            "program: nothing leaves the machine.) In another terminal:", "",
            command("approval view \(approval)", "exactly what would be sent", prefix),
            command("approve \(approval)", "let it go: the run ends by itself", prefix),
            command("why \(run.runID)", "who asked, which rule said what", prefix), "")
        console.flush()
        exit = try view.follow(untilWaiting: false, interruption)
        guard !interruption.isInterrupted else { return }
        if receiver.hasReport { say("", "The report has arrived: \(folder)/received.txt") }
        say(
            "", "All of it is history now:", "",
            command("why \(run.runID)", "who asked, which rule said what, who approved", prefix),
            command("logs \(run.runID)", "step by step, with what was written", prefix),
            command("verify", "recomputes every hash of the log", prefix), "")
        console.flush()
    }

    private func pending(of run: Run, _ session: Session) throws -> ApprovalID? {
        try session.get(.approvals, query: [("status", ApprovalStatus.pending.rawValue)]).approvals
            .first { $0.runID == run.runID }?.approvalID
    }

    /// A line to copy, and what it does.
    private func command(_ words: String, _ what: String, _ prefix: String) -> String {
        let line = TextWidth.padded("\(prefix)aos \(words)", to: Self.commandColumns)
        return "  \(console.output.styled(line, .bold))  \(console.output.styled(what, .dim))"
    }

    private func say(_ lines: String...) { for line in lines { console.print(line) } }

    private var plan: JSONValue {
        [
            "version": 1, "workdir": ["path": .string(folder), "isolation": "none"],
            "limits": ["timeout_ms": 86_400_000, "max_parallel": 2, "max_tool_calls": 10],
            "steps": [
                [
                    "id": "total", "tool": "shell", "title": "Add up the orders", "effect": "none",
                    "with": ["script": "awk -F, 'NR > 1 { sum += $2 } END { print sum }' orders.csv"],
                ],
                [
                    "id": "hash", "tool": "shell", "title": "Take the fingerprint of the orders", "effect": "none",
                    "with": ["argv": ["sha256sum", "orders.csv"]],
                ],
                [
                    "id": "report", "tool": "file.write", "title": "Write the report", "needs": ["total", "hash"],
                    "with": [
                        "path": "report.txt",
                        "text":
                            "total: ${{ steps.total.output.stdout }}orders: ${{ steps.hash.output.stdout }}run: ${{ run.id }}\n",
                    ],
                    "artifacts": [["path": "report.txt", "kind": "report", "title": "Report on the orders"]],
                ],
                [
                    "id": "send", "tool": "http", "title": "Send the report", "needs": ["report"], "effect": "once",
                    "with": [
                        "method": "POST", "url": .string("http://\(receiverAddress)/reports"),
                        "body_file": "report.txt",
                        "headers": ["content-type": "text/plain"], "expect_status": [200, 201],
                    ],
                ],
            ],
        ]
    }
}

/// Takes one report and keeps it as a file.
private final class DemonstrationReceiver: RequestHandler {
    private static let bodyBytesMax = 1 << 20

    private let folder: String
    private let received = Mutex(false)

    init(_ folder: String) { self.folder = folder }

    var hasReport: Bool { received.withLock { $0 } }

    func plan(for head: HTTPRequest) -> BodyPlan { .buffer(bytesMax: Self.bodyBytesMax) }

    func handle(_ request: HTTPRequest) -> Reply {
        guard request.method == .post, (try? Files.writeAtomically(request.body, to: "\(folder)/received.txt")) != nil
        else {
            return .now(HTTPResponse(.badRequest))
        }
        received.withLock { $0 = true }
        return .now(
            HTTPResponse(.created, fields: [.contentType: "application/json"], body: Array(#"{"taken":true}"#.utf8)))
    }

    func problem(_ failure: HTTPParseFailure) -> HTTPResponse { HTTPResponse(.badRequest) }
}
