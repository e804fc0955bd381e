"""A process that writes rows, two to a transaction, and tells of each transaction once it is durable: until it is killed."""

import sys

import sqlalchemy as sa

from engine.storage.database import Database
from engine.storage.system import epoch


def main(url: str) -> None:
    db = Database.open(url)
    add = db.statement(
        sa.insert(epoch).values(name=sa.bindparam("row"), number=sa.bindparam("of", type_=sa.BigInteger()))
    )
    for number in range(1_000_000):
        with db.write() as write:
            write.run(add, {"row": f"{number} one", "of": number})
            write.run(add, {"row": f"{number} two", "of": number})
        print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
