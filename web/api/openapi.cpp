#include "web/api/openapi.hpp"

// The assembler finds the file through the same include path as the headers.
asm(R"(
  .section .rodata
  .global zelligeOpenapiBegin
  .global zelligeOpenapiEnd
zelligeOpenapiBegin:
  .incbin "web/api/openapi.yaml"
zelligeOpenapiEnd:
  .byte 0
  .text
)");

extern "C" const char zelligeOpenapiBegin[];
extern "C" const char zelligeOpenapiEnd[];

namespace zellige::api {

std::string_view openapiText() {
  return {zelligeOpenapiBegin, static_cast<std::size_t>(zelligeOpenapiEnd - zelligeOpenapiBegin)};
}

}  // namespace zellige::api
