# SPDX-License-Identifier: Apache-2.0

import sqlalchemy
from sqlalchemy import orm
import testtools

from tests.fixtures import statements


class Row(orm.declarative_base()):
    __tablename__ = 'rows'
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)


class SharedStatementsTestCase(testtools.TestCase):
    def write_and_read(self, number):
        """Return what a new database holds, and how it was compiled."""
        engine = sqlalchemy.create_engine('sqlite://')
        self.addCleanup(engine.dispose)
        Row.metadata.create_all(engine)
        seen = []

        @sqlalchemy.event.listens_for(engine, 'before_cursor_execute')
        def see(conn, cursor, sql, parameters, context, many):
            seen.append(context.compiled)

        with orm.Session(engine) as session:
            session.add(Row(id=number))
            session.commit()
            found = session.scalars(sqlalchemy.select(Row.id)).all()
        return found, seen

    def test_a_new_engine_compiles_nothing_anew(self):
        self.useFixture(statements.SharedStatements())

        found, first = self.write_and_read(1)
        also, second = self.write_and_read(2)

        self.assertEqual(([1], [2]), (found, also))
        self.assertEqual(2, len(first))
        for one, two in zip(first, second, strict=True):
            self.assertIs(one, two)
