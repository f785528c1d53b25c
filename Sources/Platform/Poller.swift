import CLinux

/// epoll: tells which of many sockets can be read or written.
package final class Poller: Sendable {
    /// What a socket is watched for, and what it is ready for.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: EPOLLIN.rawValue)
        package static let writable = Interest(rawValue: EPOLLOUT.rawValue)
        /// The other end will send no more.
        package static let halfClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
        /// The connection is gone; always reported.
        package static let broken = Interest(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    }

    package struct Event: Sendable {
        package var token: UInt64
        package var ready: Interest
    }

    private static let eventsMax = 256
    private let epoll: Descriptor

    package init() throws(SystemError) {
        epoll = Descriptor(Int32(try systemCall("epoll_create1") { Int(aos_epoll_create()) }))
    }

    package func add(_ descriptor: Descriptor, token: UInt64, for interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, token)
    }

    package func change(_ descriptor: Descriptor, token: UInt64, to interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, token)
    }

    package func remove(_ descriptor: Descriptor) {
        _ = aos_epoll_control(epoll.number, EPOLL_CTL_DEL, descriptor.number, 0, 0)
    }

    /// Waits for the next events; `events` is replaced. Nil waits for ever.
    package func wait(milliseconds: Int?, into events: inout [Event]) throws(SystemError) {
        events.removeAll(keepingCapacity: true)
        try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsMax) {
            buffer throws(SystemError) in
            let timeout = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
            let count = try systemCall("epoll_wait") {
                Int(epoll_wait(epoll.number, buffer.baseAddress, Int32(Self.eventsMax), timeout))
            }
            for event in buffer[..<count] {
                events.append(Event(token: event.data.u64, ready: Interest(rawValue: event.events)))
            }
        }
    }

    private func control(
        _ operation: Int32, _ descriptor: Descriptor, _ interest: Interest, _ token: UInt64
    ) throws(SystemError) {
        try systemCall("epoll_ctl") {
            Int(aos_epoll_control(epoll.number, operation, descriptor.number, interest.rawValue, token))
        }
    }
}

/// Wakes a ``Poller`` from another thread.
package final class WakeUp: Sendable {
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        descriptor = Descriptor(Int32(try systemCall("eventfd") { Int(aos_eventfd()) }))
    }

    package func signal() {
        var one: UInt64 = 1
        _ = write(descriptor.number, &one, 8)
    }

    package func clear() {
        var count: UInt64 = 0
        _ = read(descriptor.number, &count, 8)
    }
}
