import Glibc
import OperatingSystem
import Testing

@Suite struct FileLockTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder(prefix: "lock-")
    }

    @Test func isHeldByOneAtATime() throws {
        let path = folder.appending("lock")
        var first = try FileLock.acquire(path)
        #expect(first != nil)
        #expect(try FileLock.acquire(path) == nil)
        #expect(FileLock.lastHolder(of: path) == getpid())
        first = nil
        #expect(try FileLock.acquire(path) != nil)
    }

    @Test func namesAPathThatCannotBe() {
        let path = folder.appending("missing/lock")
        #expect(throws: SystemError(code: .notFound, call: "open", path: path)) { try FileLock.acquire(path) }
    }

    @Test func noHolderOfAMissingFile() {
        #expect(FileLock.lastHolder(of: folder.appending("none")) == nil)
    }
}

@Suite struct AtomicFileTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder(prefix: "atomic-")
    }

    @Test func replacesAFileAndLeavesNothingElse() throws {
        let path = folder.appending("state")
        try AtomicFile.writeDurably(Array("old and longer".utf8), to: path)
        try AtomicFile.writeDurably(Array("new".utf8), to: path)
        #expect(try contents(of: path) == "new")
        #expect(names(in: folder.path) == ["state"])
    }

    @Test func writesPartsOneAfterTheOther() throws {
        let path = folder.appending("parts")
        let (first, second): ([UInt8], [UInt8]) = (Array("abc".utf8), Array("de".utf8))
        try first.withUnsafeBytes { first in
            try second.withUnsafeBytes { second in
                try AtomicFile.writeDurably([first, UnsafeRawBufferPointer(start: nil, count: 0), second], to: path)
            }
        }
        #expect(try contents(of: path) == "abcde")
    }

    @Test func aFailureKeepsWhatWasThere() throws {
        let path = folder.appending("occupied")
        #expect(mkdir(path, 0o700) == 0)
        #expect(throws: SystemError(code: .isADirectory, call: "rename", path: path)) {
            try AtomicFile.writeDurably([1, 2, 3], to: path)
        }
        #expect(names(in: folder.path) == ["occupied"], "the temporary file is gone")
    }

    @Test func aFullDiskIsNamed() throws {
        // Every write to /dev/full fails as on a full disk.
        let full = Descriptor(adopting: open("/dev/full", O_WRONLY))
        let failure = #expect(throws: SystemError.self) {
            try withUnsafeBytes(of: UInt8(1)) { try full.write($0) }
        }
        #expect(failure?.code == .noSpace)
        #expect(failure?.description.contains("No space left on device") == true)
    }

    @Test func syncingAFileAsAFolderIsRefused() throws {
        let path = folder.appending("file")
        try AtomicFile.writeDurably([UInt8](), to: path)
        #expect(throws: SystemError(code: .notADirectory, call: "open", path: path)) { try AtomicFile.syncFolder(path) }
    }
}

@Suite struct TemporaryFolderTests {
    @Test func isPrivateAndRemovedWithWhatItHolds() throws {
        var folder: TemporaryFolder? = try TemporaryFolder(prefix: "private-")
        let path = try #require(folder?.path)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)

        let outside = try TemporaryFolder(prefix: "outside-")
        try AtomicFile.writeDurably([1], to: outside.appending("kept"))
        #expect(mkdir("\(path)/inner", 0o700) == 0)
        try AtomicFile.writeDurably([1], to: "\(path)/inner/file")
        #expect(symlink(outside.path, "\(path)/inner/link") == 0)
        folder = nil
        #expect(folder == nil)
        #expect(stat(path, &status) != 0)
        #expect(names(in: outside.path) == ["kept"], "links are not followed")
    }
}
