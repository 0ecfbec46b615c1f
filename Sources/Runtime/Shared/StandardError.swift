internal import Foundation

/// Everything for a person goes to standard error; standard output is for machines.
package func printError(_ text: String, terminator: String = "\n") {
    FileHandle.standardError.write(Data((text + terminator).utf8))
}
