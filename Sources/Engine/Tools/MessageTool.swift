import HTTP
import JSON
import Platform
import Shared

/// Says something in a thread: the one that is named, else the run's own, else one that the run's first message opens in
/// its room.
///
/// The api keeps what it writes under the call's effect key, so a retry finds what an earlier try, or an earlier engine,
/// has written and writes nothing twice.
struct MessageTool: ToolImplementation {
    private static let langDefault = "en"

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        guard let writer = call.writer, let effectKey = call.effectKey else {
            throw ToolFailure("tool_unavailable", "messages are written by a run that is held", beforeStart: true)
        }
        guard let content = call.text("content_md") else {
            throw ToolFailure("arguments_invalid", "expected a text in content_md", beforeStart: true)
        }
        // A message is history: no secret may be in one.
        let message = PostMessage(
            contentMd: call.masker.masked(content), lang: call.text("lang") ?? Self.langDefault, runID: call.runID,
            stepID: call.stepID, idempotencyKey: effectKey)
        let run = writer.held.run
        let known = call.text("thread_id").map { ThreadID($0) } ?? run.threadID
        guard known != nil || run.roomID != nil else {
            throw ToolFailure("arguments_invalid", "the run is in no room: name a thread_id", beforeStart: true)
        }
        return PreparedCall { _ in
            do throws(RunWriter.Failure) {
                return .success(try Self.post(message, in: known, writer))
            } catch {
                return .failure(Self.failure(error))
            }
        }
    }

    private static func post(
        _ message: PostMessage, in known: ThreadID?, _ writer: RunWriter
    ) throws(RunWriter.Failure) -> JSONObject {
        let thread = if let known { known } else { try openThread(for: message, writer) }
        let posted = try writer.send(
            .postMessage, message, ["thread_id": thread.rawValue], fields: fields(writer)
        ).answer
        return ["message_id": .string(posted.messageID.rawValue), "thread_id": .string(thread.rawValue)]
    }

    private static func openThread(
        for message: PostMessage, _ writer: RunWriter
    ) throws(RunWriter.Failure) -> ThreadID {
        let run = writer.held.run
        let thread = CreateThread(
            title: Limits.trimmed(run.title) ?? "Run \(run.runID)", runID: message.runID, stepID: message.stepID,
            idempotencyKey: "\(run.runID)/thread")
        return try writer.send(
            .createThread, thread, ["room_id": run.roomID?.rawValue ?? ""], fields: fields(writer)
        ).answer.threadID
    }

    /// The claim token is no part of the body: a repeat after a re-claim says the same.
    private static func fields(_ writer: RunWriter) -> HTTPFields { [.xClaimToken: writer.token] }

    private static func failure(_ failure: RunWriter.Failure) -> ToolFailure {
        switch failure {
        case .lost: .stopped(.lost)
        case .refused(let problem, _): ToolFailure(problem.reasonCode, problem.detail)
        }
    }
}
