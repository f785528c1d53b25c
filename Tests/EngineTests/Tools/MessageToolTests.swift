import Engine
import JSON
import Platform
import Shared
import Testing

@Suite struct MessageToolTests {
    private func message(_ arguments: JSONObject = [:], _ more: JSONObject = [:]) -> JSONValue {
        var (step, with) = (more, arguments)
        with["content_md"] = with["content_md"] ?? "All quiet."
        (step["id"], step["tool"], step["with"]) = ("say", "message", .object(with))
        return .object(step)
    }

    /// Carries out a run of one message.
    private func run(
        _ bench: Bench, _ step: JSONValue, thread: ThreadID? = nil, room: RoomID? = "room_1", title: String? = "Night"
    ) -> RunExecutor.End {
        var run = Bench.claimed(Bench.plan([step]))
        (run.roomID, run.threadID, run.title) = (room, thread, title)
        return RunExecutor(bench.hold(run), bench.parts).execute()
    }

    @Test func `a message goes into the thread that is named`() {
        let bench = Bench()
        #expect(run(bench, message(["thread_id": "th_named"]), thread: "th_own") == .succeeded)
        let posts = bench.api.seen("/messages")
        #expect(posts.map(\.path) == ["/v1/threads/th_named/messages"])
        #expect(posts.first?.body["content_md"] == "All quiet.")
        #expect(posts.first?.body["lang"] == "en")
        #expect(posts.first?.body["step_id"] == "step_say")
        #expect(bench.api.step("say")?.output == ["message_id": "msg_1", "thread_id": "th_named"])
        #expect(bench.api.call("say")?.effect == .idempotent)
    }

    @Test func `without a name it goes into the run's own thread`() {
        let bench = Bench()
        #expect(run(bench, message(["lang": "de"]), thread: "th_own") == .succeeded)
        #expect(bench.api.seen("/messages").map(\.path) == ["/v1/threads/th_own/messages"])
        #expect(bench.api.seen("/messages").first?.body["lang"] == "de")
        #expect(bench.api.seen("/threads").isEmpty)
    }

    @Test func `a run without a thread opens one that is named after it`() {
        let bench = Bench()
        #expect(run(bench, message()) == .succeeded)
        #expect(bench.api.seen("/threads").map(\.path) == ["/v1/rooms/room_1/threads"])
        #expect(bench.api.seen("/threads").first?.body["title"] == "Night")
        #expect(bench.api.step("say")?.output["thread_id"] == "th_1")
        let untitled = Bench()
        #expect(run(untitled, message(), title: nil) == .succeeded)
        #expect(untitled.api.seen("/threads").first?.body["title"] == "Run run_1")
    }

    @Test
    func `an answer that is lost leads to the same request again, under the same key and without the token in it`() {
        let bench = Bench()
        bench.api.state.update { $0.lostAnswers = ["/threads", "/messages"] }
        #expect(run(bench, message()) == .succeeded)
        for (route, key) in [("/threads", "run_1/thread"), ("/messages", "run_1/say/1")] {
            let sent = bench.api.seen(route)
            #expect(sent.count == 2 && sent[0].body == sent[1].body)
            #expect(sent[0].body["idempotency_key"] == .string(key))
            #expect(sent[0].body["claim_token"]?.isNull ?? true)
        }
    }

    @Test func `a secret is masked in what is said`() {
        let bench = Bench()
        bench.folder.write("secrets/TOKEN", "swordfish", mode: 0o600)
        #expect(
            run(bench, message(["content_md": "It is ${{ secrets.TOKEN }}."]), thread: "th_own") == .succeeded)
        #expect(bench.api.seen("/messages").first?.body["content_md"] == "It is ***.")
    }

    @Test func `a refusal of the api fails the step with its code`() {
        let bench = Bench()
        #expect(run(bench, message(["thread_id": "th_nowhere"])) == .failed)
        #expect(bench.api.step("say")?.error["code"] == "thread_not_found")
        #expect(run(Bench(), message(), room: nil) == .failed)
    }
}
