import APIClient
import HTTP
import JSON
import Platform
import Shared

enum RunCommands {
    static let all: [Command] = [submit, list, show, watch, cancel, resolve]

    private static let planBytesMax = 1 << 20
    private static let roomDefault = "main"

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
            body.roomID = try mainRoom(session)
        }
        // Signals are taken before anything else has a thread.
        let interruption = invocation.has(.wait) ? try Interruption.bySignals() : nil
        let answer = try submitted(body, session)
        if invocation.has(.json) {
            session.printJSON(try JSON.value(of: answer))
        } else {
            session.console.print(answer.runID.rawValue)
        }
        guard let interruption else {
            session.advise("watch it: aos run watch \(answer.runID)")
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

    private static func mainRoom(_ session: Session) throws -> RoomID {
        if let room = try session.room(titled: roomDefault) { return room }
        return try session.call(.createRoom, CreateRoom(title: roomDefault)).roomID
    }

    /// The file's name without folders and ending.
    private static func stem(_ file: String) -> String {
        let name = Files.split(file).name
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
        return String(name[..<dot])
    }

    // MARK: list, show

    static let list = Command(
        "run list", "The runs, latest change first", aliases: ["run ls"], options: [.status, .limit, .json],
        examples: [
            Example("aos run list --status waiting", "the runs that wait for something"),
            Example("aos run list | cut -f1", "only their ids"),
        ]
    ) { invocation, session in
        var query = invocation[.status].map { [("status", $0)] } ?? []
        let limit = invocation.integer(.limit) ?? 30
        query.append(("limit", String(min(limit, Session.pageMax))))
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.runs, query: query))
            return .ok
        }
        var list = try session.get(.runs, query: query)
        var runs = list.runs
        while runs.count < limit, let cursor = list.nextCursor {
            list = try session.get(.runs, query: query + [("cursor", cursor)])
            runs += list.runs
        }
        let columns: [Table.Column] = [
            .init("RUN"), .init("STATUS"), .init("TITLE", isFlexible: true), .init("NOTE", isFlexible: true),
            .init("CREATED"), .init("TOOK", isNumber: true),
        ]
        session.print(
            Table(columns, runs.prefix(limit).map { row($0, session) }),
            ifEmpty: "no runs yet: aos run submit FILE")
        return .ok
    }

    private static func row(_ run: Run, _ session: Session) -> [Table.Cell] {
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

    static let show = Command(
        "run show", "One run: what it is, and its timeline", aliases: ["run view"], arguments: [.run], options: [.json],
        examples: [
            Example("aos run show 01KQ", "by the beginning of its id"),
            Example("aos run show 01KQ --json | jq .run.output", "what it gave"),
        ]
    ) { invocation, session in
        let id = try session.runID(invocation[.run])
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.run, ["run_id": id.rawValue]))
            return .ok
        }
        let run = try session.get(.run, ["run_id": id.rawValue]).run
        session.print(facts(run, session))
        session.console.print()
        let console = session.console
        var view = RunView(session, run, .timeline, screen: console.output) { console.print($0) }
        _ = try view.showHistory()
        return .ok
    }

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
        aliases: ["run logs"], arguments: [.run], options: [.untilWaiting, .json],
        examples: [
            Example("aos run watch 01KQ", "until it ends"),
            Example("aos run watch 01KQ --until-waiting || aos approvals", "in a script"),
        ]
    ) { invocation, session in
        let interruption = try Interruption.bySignals()
        let id = try session.runID(invocation[.run])
        let run = try session.get(.run, ["run_id": id.rawValue]).run
        let console = session.console
        if console.output.isTerminal, !invocation.has(.json) {
            let title = run.title.map { " · \(CleanText.line($0))" } ?? ""
            session.advise(
                "\(id)\(console.output.hasUnicode ? title : "")\(run.status.isTerminal ? "" : "  (Ctrl-C leaves the view; the run goes on)")"
            )
        }
        var view = RunView(session, run, invocation.has(.json) ? .json : .timeline, screen: console.output) {
            console.print($0)
        }
        return try view.follow(untilWaiting: invocation.has(.untilWaiting), interruption)
    }

    // MARK: cancel, resolve

    static let cancel = Command(
        "run cancel", "End a run",
        details: """
            At once when nobody holds the run; else its engine kills what it runs and confirms that nothing is left.
            """,
        arguments: [.run], options: [.reason, .json],
        examples: [Example("aos run cancel 01KQ --reason 'wrong branch'", "stop it, and say why")]
    ) { invocation, session in
        let id = try session.runID(invocation[.run])
        let answer = try session.call(.cancelRun, CancelRun(reason: invocation[.reason]), ["run_id": id.rawValue])
        if invocation.has(.json) {
            session.printJSON(try JSON.value(of: answer))
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
        arguments: [.call, .outcome], options: [.reason, .json],
        examples: [
            Example(
                "aos run resolve tc_01KQ succeeded --reason 'the mail is there'", "the run goes on with the next step")
        ]
    ) { invocation, session in
        let id = try session.toolCallID(invocation[.call])
        let body = ResolveToolCall(
            outcome: ResolvedOutcome(rawValue: invocation[.outcome]), reason: invocation[.reason])
        let answer = try session.call(.resolveToolCall, body, ["tool_call_id": id.rawValue])
        if invocation.has(.json) {
            session.printJSON(try JSON.value(of: answer))
        } else {
            session.console.print(Table.tabbed([id.rawValue, invocation[.outcome]]))
        }
        return .ok
    }
}
