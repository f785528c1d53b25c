import APIClient
import HTTP
import JSON
package import Shared

/// One run, seen from its first event on.
package struct RunView {
    /// In what form events are shown.
    package enum Form: Sendable {
        case timeline
        /// One per line; of each only these members, if any are named.
        case json(FieldSelection?)
        case nothing
    }

    /// Where the run has come to, as its events say.
    package struct Progress: Hashable, Sendable {
        package private(set) var ended: RunStatus?
        package private(set) var waits: [Wait] = []

        package init() {}

        /// Whether nothing goes on until a person does something.
        package var needsPerson: Bool {
            waits.contains { wait in
                switch wait.kind {
                case .approval, .unknown, .halt: true
                case .timer: false
                }
            }
        }

        package mutating func follow(_ row: EventRow) {
            guard case .run(let event)? = try? EventCatalogue.decode(row.eventType, row.data) else { return }
            switch event {
            case .waiting(let event): waits = event.waits
            case .completed: ended = .succeeded
            case .failed: ended = .failed
            case .cancelled: ended = .cancelled
            case .created, .started, .requeued, .cancelRequested: waits = []
            }
        }

        package var exit: ExitCode {
            switch ended {
            case .succeeded: .ok
            case .some: .failed
            case nil: needsPerson ? .denied : .ok
            }
        }
    }

    private let session: Session
    private let run: Run
    private let form: Form
    private let emit: (String) -> Void
    private var timeline: Timeline
    package private(set) var progress = Progress()
    private var lastSeq: Int64 = 0
    /// The place in the log up to which everything was shown.
    private var lastGlobalSeq: Int64 = 0

    /// - Parameters:
    ///   - screen: What the lines are made for.
    ///   - outputLinesMax: How many lines of what a call has written; nil for a few, on a terminal only.
    ///   - emit: Takes them.
    package init(
        _ session: Session, _ run: Run, _ form: Form, screen: Console.Screen, outputLinesMax: Int? = nil,
        emit: @escaping (String) -> Void
    ) {
        (self.session, self.run, self.form, self.emit) = (session, run, form, emit)
        timeline = Timeline(for: screen, outputLinesMax: outputLinesMax)
    }

    /// Shows what has happened until now, and was not shown yet.
    package mutating func showHistory() throws -> Progress {
        var cursor: String?
        repeat {
            let page =
                [("run_id", run.runID.rawValue), ("limit", String(Session.pageMax))]
                + (cursor.map { [("cursor", $0)] } ?? [])
            let answer = try JSON.parse(session.bytes(Endpoint.events, query: page), limits: Session.answerLimits)
            for value in answer["events"]?.arrayValue ?? [] {
                let row = try JSON.decode(EventRow.self, from: value)
                guard row.globalSeq > lastGlobalSeq else { continue }
                show(row) { String(decoding: value.jsonBytes, as: UTF8.self) }
            }
            cursor = answer["next_cursor"]?.stringValue
        } while cursor != nil
        return progress
    }

    /// Shows what has happened and what happens, until the run ends.
    /// - Parameter untilWaiting: Also stops when the run waits for a person.
    package mutating func follow(untilWaiting: Bool, _ interruption: Interruption) throws -> ExitCode {
        _ = try showHistory()
        session.console.flush()
        guard !isOver(untilWaiting), let room = run.roomID else { return progress.exit }
        let follower = RoomFollower(try session.client(), room: room, clock: session.clock, interruption: interruption)
        do {
            try follower.follow(after: lastSeq, onNotice: notice) { item in
                guard item.row.runID == run.runID else { return true }
                show(item.row) { item.json }
                session.console.flush()
                return !isOver(untilWaiting)
            }
        } catch let failure as APIFailure {
            throw Failure(failure, try session.connection())
        }
        guard interruption.isInterrupted, progress.ended == nil else { return progress.exit }
        if case .nothing = form { return .usage }
        session.advise("left the view; the run goes on. Back to it: aos logs -f \(run.runID)")
        return .usage
    }

    private func isOver(_ untilWaiting: Bool) -> Bool {
        progress.ended != nil || untilWaiting && progress.needsPerson
    }

    private mutating func show(_ row: EventRow, _ json: () -> String) {
        lastSeq = max(lastSeq, row.streamSeq)
        lastGlobalSeq = max(lastGlobalSeq, row.globalSeq)
        progress.follow(row)
        switch form {
        case .timeline: for line in timeline.lines(for: row) { emit(line) }
        case .json(nil): emit(json())
        case .json(let fields?):
            guard let event = try? JSON.parse(json(), limits: Session.answerLimits) else { return emit(json()) }
            emit(String(decoding: fields.pick(from: event).jsonBytes, as: UTF8.self))
        case .nothing: break
        }
    }

    private func notice(_ notice: RoomFollower.Notice) {
        switch notice {
        case .lost: session.console.note("aos: connection lost; trying again …")
        case .back: session.console.note("aos: connected again")
        }
    }
}
