// SPDX-License-Identifier: Apache-2.0
// What strangers may write into the control socket, and what a stranger's socket may answer a
// command. Properties: no crash; what parses as a request, is written as one of the same words; a
// beginning of it is never bad, nor done; the same of an answer.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "master/control_commands.h"
#include "master/control_protocol.h"

namespace {

using namespace ringmaster::master;

void try_request(std::string_view bytes) {
    std::vector<std::string> words;
    std::string problem;
    const ControlParse outcome = parse_request(bytes, words, problem);
    if (outcome != ControlParse::kDone) {
        RM_ASSERT(!problem.empty());
        return;
    }
    RM_ASSERT(!words.empty() && words.size() <= kRequestWordsMax);
    std::vector<std::string> again;
    RM_ASSERT(parse_request(write_request(words), again, problem) == ControlParse::kDone);
    RM_ASSERT(again == words);
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 16) {
        RM_ASSERT(parse_request(bytes.substr(0, size), again, problem) == ControlParse::kNeedMore);
    }
    const auto command = parse_command(words);
    RM_ASSERT(command || !command.error().message.empty());
}

void try_answer(std::string_view bytes) {
    ControlAnswer answer;
    if (parse_answer(bytes, answer) != ControlParse::kDone) {
        return;
    }
    ControlAnswer again;
    RM_ASSERT(parse_answer(write_answer(answer), again) == ControlParse::kDone);
    RM_ASSERT(again == answer);
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 16) {
        RM_ASSERT(parse_answer(bytes.substr(0, size), again) == ControlParse::kNeedMore);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    const std::string bytes(data, data + size_bytes);
    try_request(bytes);
    try_answer(bytes);
    const std::string shown = printable(bytes, 100);
    RM_ASSERT(shown.size() <= 100 && shown.find('\n') == std::string::npos);
    return 0;
}
