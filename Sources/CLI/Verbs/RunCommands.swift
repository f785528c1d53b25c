import APIClient
import HTTP
import JSON
import Platform
import Shared

enum RunCommands {
    static let all: [Command] = [submit, list, ps, view, watch, logs, wait, cancel, resolve]

    private static let planBytesMax = 1 << 20

    // MARK: submit

    static let submit = Command(
        "run submit", "Queue a run from a file",
        details: """
            FILE holds a plan ({"version": 1, "steps": [...]}), a run's input ({"plan": {...}}) or a whole run
            ({"title": ..., "input": {...}}). Without --room the run goes into the room titled "main", which is made if
            it is not there. Prints the run's id. What is wrong with a plan is printed one fault per line, with its place.
            With --wait: exit 0 when the run succeeds, 1 when it fails, 3 when it waits for a person.
            """,
        arguments: [.plan], options: [.room, .title, .wait, .json],
        examples: [
            Example("aos run submit plan.json --wait", "run the plan and look on"),
            Example("jq '.plan' big.json | aos run submit - --title nightly", "from another program"),
        ]
    ) { invocation, session in
        let file = invocation[.plan]
        var body = try runBody(of: try read(file), file)
        if let title = invocation[.title] { body.title = title }
        if body.title == nil, file != "-" { body.title = stem(file) }
        if let room = invocation[.room] {
            body.roomID = try session.roomID(room)
        } else if body.roomID == nil {
            body.roomID = try session.mainRoom()
        }
        // Signals are taken before anything else has a thread.
        let interruption = invocation.has(.wait) ? try Interruption.bySignals() : nil
        let answer = try submitted(body, session)
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(answer.runID.rawValue)
        }
        guard let interruption else {
            session.advise("watch it: aos logs -f \(answer.runID)")
            return .ok
        }
        session.console.flush()
        let run = try session.get(.run, ["run_id": answer.runID.rawValue]).run
        // In a pipe the id is the data, and the timeline is for whoever looks on.
        let console = session.console
        let isShown = console.output.isTerminal && !invocation.has(.json)
        var view = RunView(session, run, .timeline, screen: isShown ? console.output : console.error) { line in
            if isShown { console.print(line) } else { console.note(line) }
        }
        return try view.follow(untilWaiting: true, interruption)
    }

    private static func read(_ file: String) throws -> [UInt8] {
        do throws(SystemError) {
            return file == "-"
                ? try Terminal.readInput(bytesMax: planBytesMax) : try Files.read(file, bytesMax: planBytesMax)
        } catch {
            if error.isNotFound { throw Failure(.failed, "\(file): there is no such file") }
            throw Failure(.failed, "\(file) cannot be read: \(error)")
        }
    }

    /// The three forms that a file may have.
    static func runBody(of bytes: [UInt8], _ file: String) throws -> CreateRun {
        let name = file == "-" ? "standard input" : file
        let value: JSONValue
        do throws(JSONError) { value = try JSON.parse(bytes) } catch {
            throw Failure(.failed, "\(name):\(error.line):\(error.column): \(error.detail)")
        }
        guard let object = value.objectValue else {
            throw Failure(
                .failed, "\(name): expected an object, found \(value.kindName)", next: ["aos run submit --help"])
        }
        if object["steps"] != nil { return CreateRun(input: ["plan": value]) }
        if object["plan"] != nil { return CreateRun(input: value) }
        let known = ["room_id", "thread_id", "experiment_id", "title", "goal", "input", "tags", "correlation_id"]
        if let stranger = object.keys.first(where: { !known.contains($0) }) {
            let near = Nearest.to(stranger, among: known + ["steps", "plan"]).map { "; did you mean '\($0)'?" } ?? ""
            throw Failure(
                .failed, "\(name): a run has no member '\(stranger)'\(near)", next: ["aos run submit --help"])
        }
        guard object["input"] != nil else {
            throw Failure(
                .failed, "\(name): expected a plan (with steps), an input (with plan) or a run (with input)",
                next: ["aos run submit --help"])
        }
        do { return try JSON.decode(CreateRun.self, from: value) } catch { throw Failure(.failed, "\(name): \(error)") }
    }

    private static func submitted(_ body: CreateRun, _ session: Session) throws -> RunCreatedAnswer {
        let (connection, client) = (try session.connection(), try session.client())
        do throws(APIFailure) {
            return try client.call(.createRun, body)
        } catch {
            var failure = Failure(error, connection)
            guard case .refused(let problem) = error, let faults = problem.details?["faults"]?.arrayValue else {
                throw failure
            }
            let omitted = problem.details?["omitted"]?.intValue ?? 0
            let count = Int64(faults.count) + omitted
            failure.what = "the plan has \(count == 1 ? "a fault" : "\(count) faults") (\(problem.reasonCode))"
            failure.lines = faults.map { "\($0["pointer"]?.stringValue ?? ""): \($0["detail"]?.stringValue ?? "")" }
            if omitted > 0 { failure.lines.append("and \(omitted) more") }
            throw failure
        }
    }

    /// The file's name without folders and ending.
    private static func stem(_ file: String) -> String {
        let name = Files.split(file).name
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
        return String(name[..<dot])
    }

    // MARK: list, show

    static let list = Command.list(
        "run list", "The runs, latest change first", aliases: ["run ls"], options: [.status, .room], limit: 30,
        examples: [
            Example("aos run list --status waiting", "the runs that wait for something"),
            Example("aos run list | cut -f1", "only their ids"),
            Example("aos run list --json run_id,status,waits.kind", "only these members, for a program"),
        ], ifEmpty: "no runs yet: aos run submit FILE", columns: columns,
        reading: { invocation, session in
            Reading(.runs, query: try session.filters(invocation, [.status: "status", .room: "room_id"]))
        }, rows: \.runs, cells: row)

    private static let columns: [Table.Column] = [
        .init("RUN"), .init("STATUS"), .init("TITLE", isFlexible: true), .init("NOTE", isFlexible: true),
        .init("CREATED"), .init("TOOK", isNumber: true),
    ]

    static let ps = Command(
        "ps", "The runs that are not over", options: [.limit, .json],
        examples: [Example("aos ps", "what is queued, runs or waits now")]
    ) { invocation, session in
        let limit = invocation.integer(.limit) ?? 100
        if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: RunList.self) }
        var runs: [Run] = []
        for status in [RunStatus.running, .waiting, .queued] {
            runs += try session.rows(Reading(Endpoint.runs, query: [("status", status.rawValue)]), limit: limit) {
                $0.runs
            }
        }
        runs = Array(runs.prefix(limit))
        if invocation.has(.json) {
            try session.printJSON(invocation, RunList(runs: runs))
        } else {
            session.print(Table(columns, runs.map { row($0, session) }), ifEmpty: "nothing is queued, runs or waits")
        }
        return .ok
    }

    @Sendable private static func row(_ run: Run, _ session: Session) -> [Table.Cell] {
        let end = run.endedAt ?? (run.status == .running ? session.now : nil)
        let took = run.startedAt.flatMap { start in end.map { max(0, $0.milliseconds - start.milliseconds) } }
        return [
            Table.Cell(run.runID.rawValue), Table.Cell(run.status.rawValue, style(run.status)),
            Table.Cell(run.title ?? ""), Table.Cell(note(run), .dim), session.age(run.createdAt),
            Table.Cell(took.map(String.init) ?? "", shown: took.map { Amounts.duration(milliseconds: $0) }),
        ]
    }

    private static func note(_ run: Run) -> String {
        switch run.status {
        case .waiting: run.waits.map { EventSentence.wait($0) }.joined(separator: "; ")
        case .failed: run.error["message"]?.stringValue ?? run.summary ?? ""
        case .cancelled: run.cancelReason ?? ""
        case .running: run.cancelRequestedAt == nil ? "" : "is being cancelled"
        case .queued: run.hasPlan ? "" : "without a plan: no engine takes it"
        case .succeeded: run.summary ?? ""
        }
    }

    static func style(_ status: RunStatus) -> Style {
        switch status {
        case .queued: .dim
        case .running: .blue
        case .waiting: .yellow
        case .succeeded: .green
        case .failed: .red
        case .cancelled: .yellow
        }
    }

    static let view = Command.view(
        "run view", "One run: what it is, and its timeline", aliases: ["run show"], argument: .run,
        examples: [
            Example("aos run view 01KQ", "by the beginning of its id"),
            Example("aos run view 01KQ --json status,output", "only these members"),
        ],
        reading: { text, session in Reading(.run, ["run_id": try session.runID(text).rawValue]) },
        show: { answer, session in
            session.print(facts(answer.run, session))
            session.console.print()
            let console = session.console
            var view = RunView(session, answer.run, .timeline, screen: console.output) { console.print($0) }
            _ = try view.showHistory()
        })

    private static func facts(_ run: Run, _ session: Session) -> Facts {
        var facts = Facts()
        func time(_ name: String, _ time: Timestamp?) {
            facts.add(name, time?.description, shown: time.map { "\($0)  \(Amounts.age($0, now: session.now))" })
        }
        facts.add("run", run.runID.rawValue, .bold)
        facts.add("title", run.title)
        facts.add("goal", run.goal)
        facts.add("status", run.status.rawValue, style(run.status))
        facts.add("note", note(run))
        facts.add("room", run.roomID?.rawValue)
        facts.add("attempts", run.attemptNo > 0 ? String(run.attemptNo) : nil)
        facts.add("engine", run.claimedByActorID)
        time("created", run.createdAt)
        time("started", run.startedAt)
        time("ended", run.endedAt)
        if let start = run.startedAt, let end = run.endedAt {
            let took = end.milliseconds - start.milliseconds
            facts.add("took", String(took), shown: Amounts.duration(milliseconds: took))
        }
        if run.output != [:], !run.output.isNull {
            facts.add("output", String(decoding: run.output.jsonBytes, as: UTF8.self))
        }
        return facts
    }

    // MARK: watch

    static let watch = Command(
        "run watch", "Look on while a run unfolds",
        details: """
            Shows what has happened, then what happens, live; a lost connection is made again where it broke. Ends with
            the run: exit 0 when it succeeded, 1 when it failed or was cancelled. With --until-waiting also when it waits
            for a person: exit 3. Ctrl-C leaves the view (exit 2) and never stops the run.
            """,
        arguments: [.run], options: [.untilWaiting, .json],
        examples: [
            Example("aos run watch 01KQ", "until it ends"),
            Example("aos run watch 01KQ --until-waiting || aos approvals", "in a script"),
        ]
    ) { invocation, session in
        let interruption = try Interruption.bySignals()
        let (run, form) = try viewed(invocation, session)
        var view = RunView(session, run, form, screen: session.console.output) { [console = session.console] in
            console.print($0)
        }
        return try view.follow(untilWaiting: invocation.has(.untilWaiting), interruption)
    }

    /// The run to look at, and how.
    private static func viewed(_ invocation: Invocation, _ session: Session) throws -> (Run, RunView.Form) {
        let fields = try EventCommands.selection(invocation)
        let id = try session.runID(invocation[.run])
        let run = try session.get(.run, ["run_id": id.rawValue]).run
        if session.console.output.isTerminal, !invocation.has(.json) {
            let title = run.title.map { " · \(CleanText.line($0))" } ?? ""
            session.advise(
                "\(id)\(session.console.output.hasUnicode ? title : "")\(run.status.isTerminal ? "" : "  (Ctrl-C leaves the view; the run goes on)")"
            )
        }
        return (run, invocation.has(.json) ? .json(fields) : .timeline)
    }

    // MARK: logs, wait

    static let logs = Command(
        "logs", "What a run has done, with the output of its calls",
        details: """
            One line for each event and, beneath, what calls have written. With --follow it stays until the run ends, as
            `aos run watch` does, and has the same exit code; a lost connection is made again where it broke; Ctrl-C leaves
            the view (exit 2) and never stops the run. In a pipe a line of output is a row of the type `output`.
            """,
        aliases: ["run logs"], arguments: [.run], options: [.follow, .json],
        examples: [
            Example("aos logs -f 01KQ", "live, until it ends"),
            Example("aos logs 01KQ | grep -i error", "what went wrong, with the step it happened in"),
        ]
    ) { invocation, session in
        let interruption = invocation.has(.follow) ? try Interruption.bySignals() : nil
        let (run, form) = try viewed(invocation, session)
        var view = RunView(session, run, form, screen: session.console.output, outputLinesMax: logLinesMax) {
            [console = session.console] in console.print($0)
        }
        if let interruption { return try view.follow(untilWaiting: false, interruption) }
        _ = try view.showHistory()
        return .ok
    }

    private static let logLinesMax = 10_000

    static let wait = Command(
        "wait", "Wait until a run ends",
        details: """
            Says nothing meanwhile, then its id and how it ended: exit 0 when it succeeded, 1 when it failed or was
            cancelled. With --until-waiting also when it waits for a person: exit 3. When the time of --timeout has passed:
            exit 3 if the run waits for a person, else 1; the run goes on.
            """,
        aliases: ["run wait"], arguments: [.run], options: [.timeout, .untilWaiting, .json],
        examples: [
            Example("aos wait 01KQ && echo done", "in a script"),
            Example("aos wait 01KQ --timeout 60 --until-waiting", "at most a minute, and not for a person"),
        ]
    ) { invocation, session in
        let interruption = try Interruption.bySignals()
        if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: RunAnswer.self) }
        let id = try session.runID(invocation[.run])
        let run = try session.get(.run, ["run_id": id.rawValue]).run
        let hasPassed = Monitor(false)
        if let seconds = invocation.integer(.timeout) {
            Thread.start("timeout") {
                _ = hasPassed.wait(milliseconds: Int64(seconds) * 1000) { $0 ? true : nil }
                hasPassed.update { $0 = true }
                interruption.interrupt()
            }
        }
        var view = RunView(session, run, .nothing, screen: session.console.output) { _ in }
        var exit = try view.follow(untilWaiting: invocation.has(.untilWaiting), interruption)
        let after = try session.get(.run, ["run_id": id.rawValue])
        if exit == .usage, hasPassed.read({ $0 }) {
            exit = view.progress.needsPerson ? .denied : .failed
            session.console.note("aos wait: the time has passed; the run goes on")
        }
        if invocation.has(.json) {
            try session.printJSON(invocation, after)
        } else {
            session.console.print(Table.tabbed([id.rawValue, after.run.status.rawValue]))
        }
        return exit
    }

    // MARK: cancel, resolve

    static let cancel = Command(
        "run cancel", "End a run",
        details: """
            At once when nobody holds the run; else its engine kills what it runs and confirms that nothing is left.
            """,
        arguments: [.run], options: [.message, .reason, .json],
        examples: [Example("aos run cancel 01KQ -m 'wrong branch'", "stop it, and say why")]
    ) { invocation, session in
        let id = try session.runID(invocation[.run])
        let answer = try session.call(
            .cancelRun, CancelRun(reason: invocation[.message] ?? invocation[.reason]), ["run_id": id.rawValue])
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(Table.tabbed([id.rawValue, answer.status.rawValue]))
            if answer.status != .cancelled { session.advise("its engine is stopping it: aos run watch \(id)") }
        }
        return .ok
    }

    static let resolve = Command(
        "run resolve", "Say how a call of unknown outcome really ended",
        details: """
            When an engine is lost while a call runs that must not happen twice, nobody knows whether it took effect: the
            run waits until somebody has looked.
            """,
        arguments: [.call, .outcome], options: [.message, .reason, .json],
        examples: [
            Example(
                "aos run resolve tc_01KQ succeeded -m 'the mail is there'", "the run goes on with the next step")
        ]
    ) { invocation, session in
        let id = try session.toolCallID(invocation[.call])
        let body = ResolveToolCall(
            outcome: ResolvedOutcome(rawValue: invocation[.outcome]),
            reason: invocation[.message] ?? invocation[.reason])
        let answer = try session.call(.resolveToolCall, body, ["tool_call_id": id.rawValue])
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(Table.tabbed([id.rawValue, invocation[.outcome]]))
        }
        return .ok
    }
}
