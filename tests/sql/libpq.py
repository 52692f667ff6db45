"""A PostgreSQL session that sends a statement without waiting for its end: libpq through ctypes, no package to install."""

import ctypes
import json
import select

_pq = ctypes.CDLL("libpq.so.5")
for _name, _result, *_arguments in [
    ("PQconnectdb", ctypes.c_void_p, ctypes.c_char_p),
    ("PQstatus", ctypes.c_int, ctypes.c_void_p),
    ("PQerrorMessage", ctypes.c_char_p, ctypes.c_void_p),
    ("PQfinish", None, ctypes.c_void_p),
    ("PQbackendPID", ctypes.c_int, ctypes.c_void_p),
    ("PQsocket", ctypes.c_int, ctypes.c_void_p),
    ("PQsendQueryParams", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p,
     ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int),
    ("PQexec", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p),
    ("PQconsumeInput", ctypes.c_int, ctypes.c_void_p),
    ("PQisBusy", ctypes.c_int, ctypes.c_void_p),
    ("PQgetResult", ctypes.c_void_p, ctypes.c_void_p),
    ("PQresultErrorField", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int),
    ("PQresultErrorMessage", ctypes.c_char_p, ctypes.c_void_p),
    ("PQntuples", ctypes.c_int, ctypes.c_void_p),
    ("PQnfields", ctypes.c_int, ctypes.c_void_p),
    ("PQfname", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int),
    ("PQftype", ctypes.c_uint, ctypes.c_void_p, ctypes.c_int),
    ("PQgetvalue", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
    ("PQgetisnull", ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
    ("PQclear", None, ctypes.c_void_p),
]:
    getattr(_pq, _name).restype = _result
    getattr(_pq, _name).argtypes = _arguments


def _bytes(text):
    return bytes.fromhex(text[2:])


def _byte_array(text):
    return [_bytes(item.strip('"').replace("\\\\", "\\")) for item in text[1:-1].split(",") if item]


# Object ids of bool, bytea, bigint, int, json, bytea[] and jsonb.
_DECODE = {16: lambda text: text == "t", 17: _bytes, 20: int, 23: int, 114: json.loads, 1001: _byte_array, 3802: json.loads}


def _encode(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, (list, tuple)):
        return b"{" + b",".join(b'"\\\\x' + item.hex().encode() + b'"' for item in value) + b"}"
    return str(value).encode()


class SqlError(Exception):
    """A statement failed; `state` is its SQLSTATE."""

    def __init__(self, state, message):
        super().__init__(f"{state}: {message.strip()}")
        self.state = state


class Connection:
    def __init__(self, options):
        self._raw = _pq.PQconnectdb(f"{options} options='-c client_min_messages=error'".encode())
        if _pq.PQstatus(self._raw) != 0:
            raise ConnectionError(_pq.PQerrorMessage(self._raw).decode())
        self.pid = _pq.PQbackendPID(self._raw)

    def close(self):
        _pq.PQfinish(self._raw)

    def send(self, sql, parameters=()):
        values = [_encode(value) for value in parameters]
        array = (ctypes.c_char_p * len(values))(*values)
        if not _pq.PQsendQueryParams(self._raw, sql.encode(), len(values), None, array, None, None, 0):
            raise ConnectionError(_pq.PQerrorMessage(self._raw).decode())

    def is_answered(self, wait_seconds):
        """Whether the answer to the statement sent is complete, after waiting for it that long."""
        select.select([_pq.PQsocket(self._raw)], [], [], wait_seconds)
        if not _pq.PQconsumeInput(self._raw):
            raise ConnectionError(_pq.PQerrorMessage(self._raw).decode())
        return not _pq.PQisBusy(self._raw)

    def receive(self):
        """The rows of the statement sent, waiting for them."""
        rows, failure = [], None
        while result := _pq.PQgetResult(self._raw):
            rows, failure = self._read(result)
            _pq.PQclear(result)
        if failure:
            raise failure
        return rows

    def query(self, sql, parameters=()):
        self.send(sql, parameters)
        return self.receive()

    def script(self, sql):
        """Several statements without parameters in one round trip."""
        result = _pq.PQexec(self._raw, sql.encode())
        _, failure = self._read(result)
        _pq.PQclear(result)
        if failure:
            raise failure

    @staticmethod
    def _read(result):
        state = _pq.PQresultErrorField(result, ord("C"))
        if state:
            return [], SqlError(state.decode(), _pq.PQresultErrorMessage(result).decode())
        columns = [
            (index, _pq.PQfname(result, index).decode(), _DECODE.get(_pq.PQftype(result, index), str))
            for index in range(_pq.PQnfields(result))
        ]
        return [
            {
                name: None if _pq.PQgetisnull(result, row, index) else decode(_pq.PQgetvalue(result, row, index).decode())
                for index, name, decode in columns
            }
            for row in range(_pq.PQntuples(result))
        ], None
