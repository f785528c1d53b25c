import Shared
import Testing

@testable import Domain

@Suite("Rooms, threads and messages")
struct ThreadTests {
    private func world() throws -> World {
        var world = World()
        let request = CreateRoom(title: "Night shift", topic: "Backups", missionID: "m_1")
        world.record(
            try RoomDecider.create("room_1", request, in: World.workspace, correlationID: "c", world.facts()).events)
        world.pass(1)
        world.record([
            try ThreadDecider.create(
                "th_1", CreateThread(title: " First "), in: world.room!, for: nil, correlationID: "c", world.facts())
        ])
        world.pass(1)
        return world
    }

    private func post(
        _ world: inout World, _ id: MessageID, _ request: PostMessage = PostMessage(contentMd: "hello", lang: "en"),
        in thread: ThreadID = "th_1", for place: RunPlace? = nil, by actor: Actor = .operatorUser
    ) throws {
        let parent = request.parentMessageID.flatMap { world.messages[$0] }
        world.record([
            try MessageDecider.post(
                id, request, in: world.threads[thread]!, parent: parent, for: place, correlationID: "c",
                world.facts(actor))
        ])
    }

    @Test("A thread is open from the start, and its change is that of its last message")
    func thread() throws {
        var world = try world()
        let thread = world.threads["th_1"]!
        #expect((thread.title, thread.status, thread.roomID) == ("First", "open", "room_1"))
        #expect(thread.updatedAt == thread.createdAt)
        world.pass(1_000)
        try post(&world, "msg_1")
        #expect(world.threads["th_1"]?.updatedAt == world.now)
        #expect(world.threads["th_1"]?.createdAt == thread.createdAt)
        #expect(world.threads["th_1"]?.lastEventID == world.events.last?.envelope.eventID)
    }

    @Test("A message is its sender's, who is the actor, and keeps its text as it was said")
    func message() throws {
        var world = try world()
        let request = PostMessage(
            contentMd: "  two spaces\n", lang: " en ", senderType: "user", senderID: "somebody else", labels: ["a"])
        try post(&world, "msg_1", request, by: Actor(.agent, "scribe"))
        let message = world.messages["msg_1"]!
        #expect((message.senderType, message.senderID) == ("agent", "scribe"))
        #expect((message.contentMd, message.lang, message.labels) == ("  two spaces\n", "en", ["a"]))
        #expect(world.events.last?.envelope.actor == Actor(.agent, "scribe"))
        #expect(world.events.last?.envelope.threadID == "th_1")
    }

    @Test("An answer is to a message of the same thread")
    func parents() throws {
        var world = try world()
        world.record([
            try ThreadDecider.create(
                "th_2", CreateThread(title: "Second"), in: world.room!, for: nil, correlationID: "c", world.facts())
        ])
        try post(&world, "msg_1")
        let answer = PostMessage(contentMd: "yes", lang: "en", parentMessageID: "msg_1")
        try post(&world, "msg_2", answer)
        #expect(world.messages["msg_2"]?.parentMessageID == "msg_1")
        #expect(reason { try post(&world, "msg_3", answer, in: "th_2") } == .parentMessageMismatch)
        let nowhere = PostMessage(contentMd: "yes", lang: "en", parentMessageID: "msg_9")
        #expect(reason { try post(&world, "msg_3", nowhere) } == .parentMessageMismatch)
    }

    @Test(
        "A message needs a text and a language, and is 64 KiB at most",
        arguments: [
            (PostMessage(contentMd: " \n", lang: "en"), ReasonCode.missingContent),
            (PostMessage(lang: "en"), .missingContent), (PostMessage(contentMd: "a"), .missingLang),
            (PostMessage(contentMd: String(repeating: "a", count: 65_537), lang: "en"), .invalidField),
        ])
    func refused(_ request: PostMessage, _ code: ReasonCode) throws {
        var world = try world()
        #expect(reason { try post(&world, "msg_1", request) } == code)
    }

    @Test("What a run says carries the run and its step, and is caused by what last happened there")
    func byRun() throws {
        var world = try World.running()
        world.record(
            try RoomDecider.create(
                "room_1", CreateRoom(title: "t"), in: World.workspace, correlationID: "c", world.facts()
            ).events)
        let place = RunPlace(run: world.run!, step: world.steps["step_a"])
        world.record([
            try ThreadDecider.create(
                "th_1", CreateThread(title: "t"), in: world.room!, for: place, correlationID: "c", world.facts())
        ])
        try post(&world, "msg_1", for: place)
        let message = world.messages["msg_1"]!
        #expect((message.runID, message.stepID) == ("run_1", "step_a"))
        let envelope = world.events.last!.envelope
        #expect((envelope.correlationID, envelope.causationID) == ("corr", world.steps["step_a"]?.lastEventID))
        #expect(reason { try place.require(room: "room_2") } == .runRoomMismatch)
    }

    @Test("A room's update records what is different, and nothing when nothing is")
    func updates() throws {
        var world = try world()
        func update(_ request: UpdateRoom) throws -> RoomUpdated? {
            guard
                let draft = try RoomDecider.update(world.room!, request, correlationID: "c", world.facts()),
                case .room(.updated(let updated)) = draft.event
            else { return nil }
            world.record([draft])
            return updated
        }
        #expect(try update(UpdateRoom()) == nil)
        #expect(try update(UpdateRoom(title: " Night shift ", topic: "Backups", roomMode: "default")) == nil)
        #expect(try update(UpdateRoom(title: "Day shift", topic: "Backups")) == RoomUpdated(title: "Day shift"))
        #expect(try update(UpdateRoom(topic: " ", toolPolicyRef: "")) == RoomUpdated(topic: ""))
        #expect((world.room?.title, world.room?.topic, world.room?.missionID) == ("Day shift", nil, "m_1"))
        #expect(try update(UpdateRoom(topic: "")) == nil)
        #expect(reason { _ = try update(UpdateRoom(title: " ")) } == .missingTitle)
    }
}
