package import Platform
import Synchronization

/// The transactions of one writing connection, as a driver does them. Used by the writer's thread only.
package protocol WriterConnection: AnyObject, SendableMetatype {
    associatedtype Transaction: WriteTransaction

    /// Begins a transaction in which nobody else, in this process or another, writes.
    func begin() throws(DatabaseError) -> Transaction
    /// Returns when all that the transaction changed is durable.
    func commit(_ transaction: Transaction) throws(DatabaseError)
    func rollBack()
    /// Whether the transaction can only be rolled back.
    var isBroken: Bool { get }
    /// Outside of a transaction: rewrites the files without what was changed or removed. False when something may be left.
    func scrub() -> Bool
    /// After a transaction; told whether others wait.
    func afterTransaction(isIdle: Bool)
    func close()
}

/// A queue of works and the thread that does them: what has arrived while the last commit ran shares the next one.
package final class GroupCommitter: Sendable {
    /// Works the queue may hold; more are refused, so that an overload shows as a refusal and not as memory.
    package static let queuedWorksMax = 8192
    /// Works in one transaction: enough to share the fsync, few enough that the first is not kept waiting.
    package static let batchWorksMax = 256
    /// How often a batch is run again because another transaction was in the way …
    package static let conflictRetriesMax = 5
    /// … each time after a random pause up to this, doubled with each try.
    package static let conflictPauseMilliseconds: Int64 = 5

    private struct Queue {
        var works: [Work] = []
        var scrubs: [@Sendable (Bool) -> Void] = []
        var isClosing = false
    }

    /// One queued work. `run` does it inside the transaction; `finish` tells its caller how it ended.
    fileprivate struct Work: Sendable {
        var run: @Sendable (any WriteTransaction) throws -> any Sendable
        var finish: @Sendable (Result<any Sendable, any Error>) -> Void
    }

    private let queue = Monitor(Queue())
    private let lastCommit = Atomic<Int64>(-1)
    private let worksMax: Int
    private let entropy: any Entropy
    private let onFault: @Sendable (DatabaseError) -> Void
    private let onBatch: @Sendable (WriteBatch) -> Void

    /// - Parameter batchWorksMax: 1 gives each work a transaction of its own: for measuring what sharing is worth.
    /// - Parameter onStorageFault: Called on the writer's thread when the disk failed or the data are damaged.
    /// - Parameter onBatch: Called on the writer's thread after each transaction, before its works hear of it.
    package init(
        batchWorksMax: Int = GroupCommitter.batchWorksMax, entropy: any Entropy = SystemEntropy(),
        onStorageFault: @escaping @Sendable (DatabaseError) -> Void,
        onBatch: @escaping @Sendable (WriteBatch) -> Void
    ) {
        (worksMax, self.entropy, onFault, self.onBatch) = (batchWorksMax, entropy, onStorageFault, onBatch)
    }

    /// Starts the writer's thread. It ends when the committer has been closed and all works are done.
    /// - Parameter connection: Handed over to the thread.
    package func start(_ connection: sending some WriterConnection) -> Thread {
        let owned = Owned(connection)
        return Thread.start("db-writer") { [self] in
            let connection = owned.value
            while waitForWork() {
                if queuedWorks > 0 {
                    run(nil, connection)
                    connection.afterTransaction(isIdle: queuedWorks == 0)
                }
                let scrubs = takeScrubs()
                guard !scrubs.isEmpty else { continue }
                let isClean = connection.scrub()
                for then in scrubs { then(isClean) }
            }
            connection.close()
        }
    }

    package func write<Value: Sendable>(
        _ work: @escaping @Sendable (any WriteTransaction) throws -> Value,
        then: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        let queued = Work(
            run: { try work($0) },
            finish: { result in then(result.map { $0 as! Value }) })
        let refusal: DatabaseError? = queue.update { queue in
            if queue.isClosing { return DatabaseError(.closed, "the database is closing") }
            if queue.works.count >= Self.queuedWorksMax {
                return DatabaseError(.overloaded, "\(Self.queuedWorksMax) commands are waiting to be written")
            }
            queue.works.append(queued)
            return nil
        }
        if let refusal { then(.failure(refusal)) }
    }

    /// ``Database/scrub(then:)``: one for all who have asked meanwhile.
    package func scrub(then: @escaping @Sendable (Bool) -> Void) {
        let isQueued = queue.update { queue in
            if queue.isClosing || queue.scrubs.count >= Self.queuedWorksMax { return false }
            queue.scrubs.append(then)
            return true
        }
        if !isQueued { then(false) }
    }

    package var queuedWorks: Int { queue.read { $0.works.count } }

    /// How long the last commit took, until the disk had it; nil before the first.
    package var lastCommitMicroseconds: Int64? {
        let last = lastCommit.load(ordering: .relaxed)
        return last < 0 ? nil : last
    }

    /// Takes no more works; the thread ends when those it has are done.
    package func close() { queue.update { $0.isClosing = true } }

    // MARK: The writer's thread

    /// `@unchecked Sendable` holds because it is made before its thread starts and used on that thread only.
    private final class Owned<Value>: @unchecked Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    /// False when there is none left and there will be no more.
    private func waitForWork() -> Bool {
        queue.wait { queue in
            queue.works.isEmpty && queue.scrubs.isEmpty ? (queue.isClosing ? false : nil) : true
        } ?? false
    }

    private func takeScrubs() -> [@Sendable (Bool) -> Void] {
        queue.update { queue in
            defer { queue.scrubs = [] }
            return queue.scrubs
        }
    }

    private func takeBatch() -> [Work] {
        queue.update { queue in
            let batch = Array(queue.works.prefix(worksMax))
            queue.works.removeFirst(batch.count)
            return batch
        }
    }

    /// Runs works until each has its result: together, and if one of them is at fault, each by itself.
    /// - Parameter given: Nil for the next batch. That is taken when its transaction has begun: where other processes
    ///   write too, more has arrived by then.
    private func run<Connection: WriterConnection>(_ given: [Work]? = nil, _ connection: Connection) {
        var (works, pauseMs) = (given, Self.conflictPauseMilliseconds)
        for retriesLeft in (0...Self.conflictRetriesMax).reversed() {
            let startNs = SystemClock().monotonicNanoseconds()
            do throws(DatabaseError) {
                let transaction = try begin(connection)
                let batch = works ?? takeBatch()
                works = batch
                let (results, changes) = try attempt(batch, connection, transaction)
                report(batch.count, startNs, changes: changes, nil)
                for (work, result) in zip(batch, results) { work.finish(result) }
                return
            } catch {
                let batch = works ?? takeBatch()
                works = batch
                report(batch.count, startNs, changes: 0, error.kind)
                if error.kind == .conflict, retriesLeft > 0 {
                    _ = Monitor(()).wait(milliseconds: entropy.integer(in: 0...pauseMs)) { _ in Bool?.none }
                    pauseMs *= 2
                } else if batch.count == 1 || Self.isFinal(error) {
                    for work in batch { work.finish(.failure(error)) }
                    return
                } else {
                    for work in batch { run([work], connection) }
                    return
                }
            }
        }
    }

    private func begin<Connection: WriterConnection>(
        _ connection: Connection
    ) throws(DatabaseError) -> Connection.Transaction {
        do throws(DatabaseError) {
            return try connection.begin()
        } catch {
            connection.rollBack()
            if error.kind == .storage { onFault(error) }
            throw error
        }
    }

    /// Runs all works in one transaction. A refusal before a work's first write concerns that work alone; anything
    /// later rolls all back and is thrown.
    /// - Returns: What each came to, and how much all changed.
    private func attempt<Connection: WriterConnection>(
        _ batch: [Work], _ connection: Connection, _ transaction: Connection.Transaction
    ) throws(DatabaseError) -> (results: [Result<any Sendable, any Error>], changes: Int) {
        do throws(DatabaseError) {
            let changesAtFirst = transaction.changes
            var results: [Result<any Sendable, any Error>] = []
            for work in batch {
                let changesBefore = transaction.changes
                do {
                    results.append(.success(try work.run(transaction)))
                } catch let error as DatabaseError where Self.isFinal(error) || error.kind == .conflict {
                    throw error
                } catch {
                    // The database itself may have ended the transaction: then the works before have lost their writes too.
                    if transaction.changes != changesBefore || connection.isBroken {
                        throw error as? DatabaseError
                            ?? DatabaseError(.statement, "a command failed after its first write: \(error)")
                    }
                    results.append(.failure(error))
                }
            }
            let clock = SystemClock()
            let start = clock.monotonicNanoseconds()
            try connection.commit(transaction)
            lastCommit.store((clock.monotonicNanoseconds() - start) / 1000, ordering: .relaxed)
            return (results, transaction.changes - changesAtFirst)
        } catch {
            connection.rollBack()
            if error.kind == .storage { onFault(error) }
            throw error
        }
    }

    private func report(_ works: Int, _ startNs: Int64, changes: Int, _ failure: DatabaseError.Kind?) {
        onBatch(
            WriteBatch(
                works: works, nanoseconds: SystemClock().monotonicNanoseconds() - startNs, changes: changes,
                failure: failure))
    }

    /// Whether running the members again one by one is pointless or unsafe.
    private static func isFinal(_ error: DatabaseError) -> Bool {
        error.kind == .full || error.kind == .storage || error.kind == .unavailable
    }
}
