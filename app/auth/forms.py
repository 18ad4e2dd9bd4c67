"""The forms of the first run and of signing in."""

from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired

from app.web.forms import DeskForm, PlainText, stripped


class LoginForm(DeskForm):
    SECRET = frozenset({"password"})

    username = StringField(filters=[stripped], validators=[InputRequired("Type your username."), PlainText(1, 64)])
    password = PasswordField(validators=[InputRequired("Type your password."), PlainText(1, 256)])


class SetupForm(DeskForm):
    SECRET = frozenset({"setup_token", "password", "password_again"})

    setup_token = StringField(
        filters=[stripped],
        validators=[InputRequired("Copy the setup token from where the desk was started."), PlainText(1, 200)],
    )
    username = StringField(filters=[stripped], validators=[InputRequired("Choose a username."), PlainText(3, 64)])
    password = PasswordField(validators=[InputRequired("Choose a password."), PlainText(1, 256)])
    password_again = PasswordField(validators=[InputRequired("Type the password again.")])

    def validate_password_again(self, again: PasswordField) -> None:
        if again.data != self.password.data:
            raise ValidationError("The two passwords differ. Type the same one twice.")
