package import HTTP
import Synchronization

/// An answer that some other thread will give.
package final class DeferredReply: Sendable {
    private struct State {
        var reply: Reply?
        var isDelivered = false
        var deliver: (@Sendable (Reply) -> Void)?
        var isCancelled = false
        var cancel: (@Sendable () -> Void)?
        var hear: (@Sendable (Reply) -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    /// Answers, from any thread; the first call wins.
    package func complete(_ response: HTTPResponse) { complete(reply: .now(response)) }

    /// Answers, from any thread; the first call wins. A `.stream` that loses is not detached; nobody attached it.
    package func complete(reply: Reply) {
        typealias Take = @Sendable (Reply) -> Void
        let (hear, deliver) = state.withLock { state -> (Take?, Take?) in
            guard state.reply == nil else { return (nil, nil) }
            state.reply = reply
            state.cancel = nil
            defer { (state.hear, state.deliver) = (nil, nil) }
            return (state.hear, state.deliver)
        }
        hear?(reply)
        deliver?(reply)
    }

    /// Says who else hears of the answer, just before it is delivered, on the thread that gives it. Once at most.
    package func onAnswer(_ body: @Sendable @escaping (Reply) -> Void) {
        let reply = state.withLock { state in
            if state.reply == nil { state.hear = body }
            return state.reply
        }
        if let reply { body(reply) }
    }

    /// Says what to do when nobody waits for the answer any more: the client went away, or the server drains.
    /// Called at most once, on the loop thread; an answer given afterwards still goes out when the client can take it.
    package func onCancel(_ body: @Sendable @escaping () -> Void) {
        let isLate = state.withLock { state in
            if state.reply == nil, !state.isCancelled { state.cancel = body }
            return state.isCancelled && state.reply == nil
        }
        if isLate { body() }
    }

    /// Calls `deliver` with the answer, now or when it comes, on the thread that gives it.
    package func attach(_ deliver: @escaping @Sendable (Reply) -> Void) {
        let reply = state.withLock { state -> Reply? in
            if let reply = state.reply { return reply }
            state.deliver = deliver
            return nil
        }
        if let reply { deliver(reply) }
    }

    package func cancel() {
        let body = state.withLock { state in
            defer { (state.isCancelled, state.cancel) = (true, nil) }
            return state.cancel
        }
        body?()
    }
}
