/** The users that AMIs let in: Amazon Linux's, Ubuntu's, Debian's, CentOS's. In a sandbox each is root by another name. */
export const loginUsers: readonly string[] = ["ec2-user", "ubuntu", "admin", "centos"];
