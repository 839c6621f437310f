"""CPU time of headrace beside the SDKs by hand, a floor, and LangChain: `make bench`."""
