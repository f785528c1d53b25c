import HTTP
import Platform
import Synchronization

/// One thread with its connections: waits for sockets, feeds the connections, does what they say.
///
/// `@unchecked Sendable` holds because everything but `inbox` and `wakeUp` is touched by the loop's thread only.
final class ServerLoop: @unchecked Sendable {
    /// What other threads want of the loop.
    enum Message: Sendable {
        case run(@Sendable () -> Void)
        case adopt(Descriptor)
        case reply(token: UInt64, Reply)
        case streamHasMore(token: UInt64)
        case drain(graceMilliseconds: Int)
    }

    private struct Inbox {
        var messages: [Message] = []
        var isAsleep = false
        var isClosed = false
    }

    private static let listenerToken = UInt64.max
    private static let wakeUpToken = UInt64.max - 1
    private static let readBytes = 64 << 10
    /// How many pieces one stream may send before the others have their turn.
    private static let pullsPerTurn = 8
    private static let acceptsPerTurn = 64
    private static let acceptPauseMilliseconds: Int64 = 100
    /// What a connection may take to read its last answer after the grace of a drain.
    private static let farewellMilliseconds: Int64 = 1_000

    private let handler: any RequestHandler
    private let settings: HTTPServerSettings
    private let clock: any Clock
    private let counters: ServerCounters
    private let poller: Poller
    private let wakeUp: WakeUp
    private let inbox = Mutex(Inbox())

    private var listener: Descriptor?
    private var isListenerWatched = false
    private var acceptAgainAt: Int64?
    /// Where accepted connections go in turn, this loop included.
    private var peers: [ServerLoop] = []
    private var nextPeer = 0

    private var channels: [Channel?] = []
    private var freeSlots: [Int] = []
    private var open = 0
    private var generation: UInt32 = 0
    private var now: HTTPMoment
    private var dateSecond: Int64 = .min
    private var nextDeadline: Int64 = .max
    private var drainEnd: Int64?
    private var hardEnd: Int64?
    private let readBuffer: UnsafeMutableRawBufferPointer

    /// A connection with its socket and those who answer it.
    private final class Channel {
        let socket: Descriptor
        let token: UInt64
        /// Where the connection comes from, without its port.
        let peer: String?
        var connection: HTTPServerConnection
        var interest: Poller.Interest = [.readable]
        var sink: (any BodySink)?
        var deferred: DeferredReply?
        var source: (any BodySource)?
        var wake: StreamWake?
        var isClosed = false

        init(socket: Descriptor, token: UInt64, connection: HTTPServerConnection) {
            (self.socket, self.token, self.connection) = (socket, token, connection)
            peer = TCP.peerAddress(of: socket)?.hostText
        }
    }

    /// Many wakes before the loop looks are one message.
    private final class StreamWake: Sendable {
        let isPosted = Atomic(false)
    }

    init(handler: any RequestHandler, settings: HTTPServerSettings, clock: any Clock, counters: ServerCounters) throws {
        (self.handler, self.settings, self.clock, self.counters) = (handler, settings, clock, counters)
        poller = try Poller()
        wakeUp = try WakeUp()
        now = HTTPMoment(milliseconds: clock.monotonicMilliseconds(), date: [])
        readBuffer = .allocate(byteCount: Self.readBytes, alignment: 16)
        try poller.add(wakeUp.descriptor, token: Self.wakeUpToken, for: .readable)
    }

    deinit { readBuffer.deallocate() }

    /// Before ``run()``: makes this loop the one that accepts.
    func listen(on socket: Descriptor, sharingWith peers: [ServerLoop]) throws {
        try poller.add(socket, token: Self.listenerToken, for: .readable)
        (listener, isListenerWatched, self.peers) = (socket, true, peers)
    }

    /// From any thread. After the loop has ended nothing is done any more; false says so.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (taken, mustWake) = inbox.withLock { inbox -> (Bool, Bool) in
            if inbox.isClosed { return (false, false) }
            inbox.messages.append(message)
            defer { inbox.isAsleep = false }
            return (true, inbox.isAsleep)
        }
        if mustWake { wakeUp.signal() }
        return taken
    }

    func run() {
        var events: [Poller.Event] = []
        refreshTime()
        while !isFinished {
            do {
                try poller.wait(milliseconds: sleepMilliseconds(), into: &events)
            } catch { preconditionFailure("the poller of a server loop failed: \(error)") }
            inbox.withLock { $0.isAsleep = false }
            refreshTime()
            for event in events { handle(event) }
            takeMessages()
            expire()
        }
        inbox.withLock { $0.isClosed = true }
        for channel in channels.compactMap(\.self) {
            channel.connection.broke()
            serve(channel)
        }
        takeMessages()
    }

    // MARK: Time

    private var isFinished: Bool {
        guard drainEnd != nil else { return false }
        return open == 0 || hardEnd.map { now.milliseconds >= $0 } ?? false
    }

    private func refreshTime() {
        now.milliseconds = clock.monotonicMilliseconds()
        let second = clock.wallMilliseconds() / 1000
        if second != dateSecond {
            dateSecond = second
            now.date = HTTPDate.format(secondsSince1970: second)
        }
    }

    /// How long nothing needs to happen; zero when messages wait, nil for ever.
    private func sleepMilliseconds() -> Int? {
        let hasMessages = inbox.withLock { inbox in
            inbox.isAsleep = inbox.messages.isEmpty
            return !inbox.messages.isEmpty
        }
        if hasMessages { return 0 }
        let next = min(nextDeadline, acceptAgainAt ?? .max, drainEnd ?? .max, hardEnd ?? .max)
        return next == .max ? nil : Int(max(0, next - now.milliseconds))
    }

    private func expire() {
        if let again = acceptAgainAt, now.milliseconds >= again { watchListener(true) }
        if let end = drainEnd, end != .max, now.milliseconds >= end {
            drainEnd = .max
            hardEnd = now.milliseconds + Self.farewellMilliseconds
            for channel in channels.compactMap(\.self) {
                channel.connection.drainExpired()
                serve(channel)
            }
        }
        guard now.milliseconds >= nextDeadline else { return }
        nextDeadline = .max
        for channel in channels.compactMap(\.self) {
            if let deadline = channel.connection.deadline {
                if now.milliseconds >= deadline {
                    channel.connection.tick(at: now)
                    serve(channel)
                } else {
                    nextDeadline = min(nextDeadline, deadline)
                }
            }
        }
    }

    // MARK: Messages

    private func takeMessages() {
        let messages = inbox.withLock { inbox in
            defer { inbox.messages = [] }
            return inbox.messages
        }
        for message in messages {
            switch message {
            case .run(let body): body()
            case .adopt(let socket): adopt(socket)
            case .reply(let token, let reply): deliver(reply, to: token)
            case .streamHasMore(let token):
                guard let channel = channel(token) else { continue }
                channel.wake?.isPosted.store(false, ordering: .sequentiallyConsistent)
                channel.connection.streamHasMore(at: now)
                serve(channel)
            case .drain(let grace): drain(graceMilliseconds: grace)
            }
        }
    }

    private func deliver(_ reply: Reply, to token: UInt64) {
        guard let channel = channel(token), channel.deferred != nil else {
            // Nobody takes it any more, but a source must still hear that it is not needed.
            if case .stream(_, let source, _) = reply { source.detach() }
            return
        }
        channel.deferred = nil
        take(reply, channel)
        serve(channel)
    }

    private func drain(graceMilliseconds: Int) {
        guard drainEnd == nil else { return }
        drainEnd = now.milliseconds + Int64(graceMilliseconds)
        if let listener { poller.remove(listener) }
        (listener, acceptAgainAt) = (nil, nil)
        for channel in channels.compactMap(\.self) {
            channel.connection.drain()
            serve(channel)
        }
    }

    // MARK: Sockets

    private func handle(_ event: Poller.Event) {
        switch event.token {
        case Self.listenerToken: acceptSome()
        case Self.wakeUpToken: wakeUp.clear()
        default:
            guard let channel = channel(event.token) else { return }
            if event.ready.contains(.readable) || event.ready.contains(.halfClosed) {
                read(channel)
            } else if !event.ready.isDisjoint(with: .broken) {
                channel.connection.broke()
            }
            serve(channel)
        }
    }

    private func acceptSome() {
        guard let listener else { return }
        for _ in 0..<Self.acceptsPerTurn {
            do throws(SystemError) {
                guard let socket = try TCP.accept(from: listener) else { return }
                let peer = peers[nextPeer]
                nextPeer = (nextPeer + 1) % peers.count
                if peer === self { adopt(socket) } else { peer.post(.adopt(socket)) }
            } catch {
                // No descriptors left: those who are served must not suffer from a spinning loop.
                watchListener(false)
                acceptAgainAt = now.milliseconds + Self.acceptPauseMilliseconds
                return
            }
        }
    }

    private func watchListener(_ on: Bool) {
        guard let listener, on != isListenerWatched else { return }
        acceptAgainAt = nil
        isListenerWatched = on
        try? poller.change(listener, token: Self.listenerToken, to: on ? .readable : [])
    }

    private func adopt(_ socket: Descriptor) {
        let total = counters.connections.add(1, ordering: .relaxed).newValue
        let isRefused = total > settings.connectionsMax || drainEnd != nil
        guard total <= settings.connectionsMax + settings.refusalsMax else {
            counters.connections.subtract(1, ordering: .relaxed)
            return
        }
        let slot = freeSlots.popLast() ?? channels.count
        if slot == channels.count { channels.append(nil) }
        // The highest generations would meet the tokens of listener and wake-up.
        generation = (generation + 1) & 0x7FFF_FFFF
        let token = UInt64(generation) << 32 | UInt64(slot)
        let connection = HTTPServerConnection(
            settings: settings, at: now, refusal: isRefused ? drainEnd != nil ? .draining : .overloaded : nil)
        let channel = Channel(socket: socket, token: token, connection: connection)
        channels[slot] = channel
        open += 1
        do throws(SystemError) {
            try poller.add(socket, token: token, for: channel.interest)
        } catch { channel.connection.broke() }
        // Often the first request is here already; otherwise this only arms the time-out.
        read(channel)
        serve(channel)
    }

    private func channel(_ token: UInt64) -> Channel? {
        let slot = Int(token & 0xFFFF_FFFF)
        guard slot < channels.count, let channel = channels[slot], channel.token == token else { return nil }
        return channel
    }

    private func read(_ channel: Channel) {
        do throws(SystemError) {
            guard let count = try TCP.receive(into: readBuffer, from: channel.socket) else { return }
            if count == 0 {
                channel.connection.receivedEnd(at: now)
            } else {
                channel.connection.received(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), at: now)
            }
        } catch { channel.connection.broke() }
    }

    // MARK: Serving

    /// Does what the connection says and sends what it has, until it has to wait.
    private func serve(_ channel: Channel) {
        var pulls = 0
        repeat {
            while pulls < Self.pullsPerTurn, let action = channel.connection.next(at: now) {
                if case .pull = action { pulls += 1 }
                perform(action, channel)
                if channel.isClosed { return }
            }
        } while send(channel) && pulls < Self.pullsPerTurn
        if channel.isClosed { return }
        watch(channel, mustReturn: pulls >= Self.pullsPerTurn)
        if let deadline = channel.connection.deadline { nextDeadline = min(nextDeadline, deadline) }
    }

    /// Sends what is there. True when all of it went, so that there may be a next step.
    private func send(_ channel: Channel) -> Bool {
        guard channel.connection.hasOutput else { return false }
        do throws(SystemError) {
            let socket = channel.socket
            let sent = try channel.connection.withPendingOutput { bytes throws(SystemError) in
                try TCP.send(bytes, to: socket)
            }
            guard let sent else { return false }
            channel.connection.sent(sent, at: now)
            return true
        } catch {
            channel.connection.broke()
            return true
        }
    }

    private func watch(_ channel: Channel, mustReturn: Bool) {
        var interest: Poller.Interest = []
        if channel.connection.wantsToRead { interest.insert(.readable) }
        if channel.connection.hasOutput || mustReturn { interest.insert(.writable) }
        guard interest != channel.interest else { return }
        channel.interest = interest
        do throws(SystemError) {
            try poller.change(channel.socket, token: channel.token, to: interest)
        } catch {
            channel.connection.broke()
            serve(channel)
        }
    }

    private func perform(_ action: HTTPServerConnection.Action, _ channel: Channel) {
        switch action {
        case .plan(var head):
            head.peer = channel.peer
            let plan = handler.plan(for: head)
            if case .sink(let sink, _) = plan { channel.sink = sink }
            if case .refuse = plan { counters.requests.add(1, ordering: .relaxed) }
            channel.connection.plan(plan, at: now)
        case .handle(var request):
            request.peer = channel.peer
            counters.requests.add(1, ordering: .relaxed)
            take(handler.handle(request), channel)
        case .sinkBytes(let bytes):
            if let refusal = channel.sink?.write(bytes) {
                channel.sink = nil
                counters.requests.add(1, ordering: .relaxed)
                channel.connection.refuseBody(refusal, at: now)
            }
        case .sinkEnd:
            guard let sink = channel.sink else { preconditionFailure("a body for a sink has a sink") }
            channel.sink = nil
            counters.requests.add(1, ordering: .relaxed)
            take(sink.finish(), channel)
        case .sinkAbort:
            channel.sink?.abort()
            channel.sink = nil
        case .problem(let failure): channel.connection.answer(handler.problem(failure), at: now)
        case .pull(let bytes):
            guard let source = channel.source else { preconditionFailure("a stream has a source") }
            channel.connection.streamed(source.next(atMost: bytes), at: now)
        case .cancel: channel.deferred?.cancel()
        case .release:
            channel.source?.detach()
            (channel.source, channel.wake, channel.deferred) = (nil, nil, nil)
        case .shutdownSending: TCP.shutdownSending(channel.socket)
        case .close: close(channel)
        }
    }

    private func take(_ reply: Reply, _ channel: Channel) {
        switch reply {
        case .now(let response): channel.connection.answer(response, at: now)
        case .later(let deferred):
            channel.deferred = deferred
            let token = channel.token
            deferred.attach { [weak self] reply in
                if self?.post(.reply(token: token, reply)) != true, case .stream(_, let source, _) = reply {
                    source.detach()
                }
            }
        case .stream(let head, let source, let length):
            let wake = StreamWake()
            let token = channel.token
            (channel.source, channel.wake) = (source, wake)
            source.attach { [weak self] in
                guard !wake.isPosted.exchange(true, ordering: .sequentiallyConsistent) else { return }
                self?.post(.streamHasMore(token: token))
            }
            channel.connection.startStream(head, length: length, at: now)
        }
    }

    private func close(_ channel: Channel) {
        channel.isClosed = true
        channel.source?.detach()
        channel.deferred?.cancel()
        (channel.source, channel.deferred) = (nil, nil)
        poller.remove(channel.socket)
        let slot = Int(channel.token & 0xFFFF_FFFF)
        channels[slot] = nil
        freeSlots.append(slot)
        open -= 1
        counters.connections.subtract(1, ordering: .relaxed)
    }
}

/// What all loops count together.
final class ServerCounters: Sendable {
    let connections = Atomic(0)
    let requests = Atomic(0)
}
