import CLinux

/// A mutex with a condition: state that one thread changes and another waits for.
///
/// `@unchecked Sendable` holds because `value` is only touched with the mutex held.
package final class Monitor<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    package init(_ value: sending Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        // Waits must not end early or late when the wall clock is set.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the value and wakes all who wait for it.
    package func update<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// Reads the value without waking anybody.
    package func read<Result, Failure: Error>(_ body: (Value) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(value)
    }

    /// Waits until `attempt` gives a result, asking again after every update; nil when the time has passed.
    /// - Parameter milliseconds: How long to wait at the most; nil waits for ever.
    package func wait<Result>(milliseconds: Int64? = nil, until attempt: (inout Value) -> Result?) -> Result? {
        let deadline = milliseconds.map { SystemClock().monotonicNanoseconds() + max(0, $0) * 1_000_000 }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = attempt(&value) {
                // What the attempt took may be what another waiter waits for the absence of.
                pthread_cond_broadcast(condition)
                return result
            }
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            var until = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
            if pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT { return attempt(&value) }
        }
    }
}

/// A thread of our own: for work that must not wait behind other work.
package struct Thread: Sendable {
    private let finished: Monitor<Bool>

    /// Starts `body` on a new thread. The name (15 bytes at most are kept) shows in `top -H` and debuggers.
    /// The thread takes no signals: they are for the program's own signal handling.
    @discardableResult
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Thread {
        let finished = Monitor(false)
        let box = Unmanaged.passRetained(
            Body {
                pthread_setname_np(pthread_self(), String(name.prefix(15)))
                body()
                finished.update { $0 = true }
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackBytes)
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        pthread_attr_destroy(&attributes)
        precondition(result == 0, "no thread can be started: the process limit is reached")
        return Thread(finished: finished)
    }

    /// Waits for the thread's end. False when the time has passed.
    @discardableResult
    package func join(milliseconds: Int64? = nil) -> Bool {
        finished.wait(milliseconds: milliseconds) { $0 ? true : nil } ?? false
    }

    private static let stackBytes = 1 << 20

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
